"""Downloads plainly what is asked plainly; what is meant for the browser goes through it."""

from pathlib import Path
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.core.downloader.handlers import DownloadHandlerProtocol
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.utils.misc import build_from_crawler, load_object

from kaspi_crawler.browser.executable import flags

if TYPE_CHECKING:
    # At run time it is imported with the first page that needs it: a third of a second.
    from kaspi_crawler.browser.reader import BrowserReader

#: The key of a request's meta that sends it through the browser.
IN_BROWSER = "in_browser"


def install(settings: Settings, program: Path) -> None:
    """Put the browser before the handler that downloads so far. Before the engine is made."""
    handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
    ours = {"http": PlainOrBrowser, "https": PlainOrBrowserSecurely}
    pages = settings.getint("BROWSER_PAGES")
    installed = {
        "PLAIN_HANDLERS": {scheme: handlers[scheme] for scheme in ours},
        "DOWNLOAD_HANDLERS": {**settings.getdict("DOWNLOAD_HANDLERS"), **ours},
        # As many contexts as pages: each page may leave through an exit of its own.
        "PLAYWRIGHT_MAX_CONTEXTS": pages,
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": pages,
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": settings.getfloat("BROWSER_TIMEOUT") * 1000,
        # The browser's own: a page's scripts compare them with what they see.
        "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,
        "PLAYWRIGHT_LAUNCH_OPTIONS": {
            "executable_path": str(program),
            "args": [*flags(settings["KASPI_URL"]), *settings.getlist("CHROMIUM_FLAGS")],
            "timeout": settings.getfloat("BROWSER_TIMEOUT") * 1000,
            # A crawl that is told to stop reads to its end what it began, and then closes.
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        },
    }
    for name, value in installed.items():
        settings.set(name, value, "spider")


class PlainOrBrowser:
    """Costs a plain request one look into its meta; the browser starts when it is needed."""

    lazy = True
    scheme = "http"

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        plain = load_object(crawler.settings["PLAIN_HANDLERS"][self.scheme])
        self._plain: DownloadHandlerProtocol = build_from_crawler(plain, crawler)
        self._reader: BrowserReader | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """The answer. Raises the exceptions that RetryMiddleware knows, also of the browser."""
        if IN_BROWSER not in request.meta:
            return await self._plain.download_request(request)
        if self._reader is None:
            from kaspi_crawler.browser.reader import BrowserReader  # noqa: PLC0415

            self._reader = BrowserReader(self._crawler)
        return await self._reader.read(request)

    async def close(self) -> None:
        """Close both; no process of the browser stays."""
        await self._plain.close()
        if self._reader is not None:
            await self._reader.close()


class PlainOrBrowserSecurely(PlainOrBrowser):
    """The same over TLS: Scrapy has a handler for each scheme."""

    scheme = "https"
