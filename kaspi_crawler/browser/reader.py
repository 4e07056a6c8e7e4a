"""Chromium as a reader of pages: each page in a context of its own, which ends with it.

scrapy-playwright drives it. What this adds: page and context are closed whatever happens
(scrapy-playwright keeps contexts, see its issues 126, 171, 183 and 240), a browser that hangs or
whose driver died is replaced, and failures have the names that RetryMiddleware knows.
"""

import asyncio
import base64
import contextlib
import logging
from itertools import count
from typing import Any

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError
from scrapy.http import HtmlResponse, Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from kaspi_crawler.browser.rendered import READ_STATE, with_state
from kaspi_crawler.browser.trouble import BrowserHangs, BrowserTrouble
from kaspi_crawler.browser.wanted import Wanted
from kaspi_crawler.pages.product_state import holds_item
from partners.kaspi.storefront import USER_AGENT

logger = logging.getLogger(__name__)

#: Seconds that closing a context or a browser may take before it counts as hung.
_GOODBYE = 5.0
#: Seconds beside those for loading and for scripts, for the page's text to be handed over.
_HANDING_OVER = 2.0


class Handler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """Started by its owner, not by a signal that has passed."""

    async def start(self) -> None:
        """Start the driver; the browser starts with the first page."""
        await self._launch()

    @property
    def pages_open(self) -> int:
        """How many pages are open in all contexts."""
        return sum(len(each.context.pages) for each in self.context_wrappers.values())


def exit_of(request: Request) -> dict[str, str] | None:
    """The proxy that a request leaves through, in playwright's words.

    As HttpProxyMiddleware leaves it: its address in meta, who we are in a header.
    """
    address = request.meta.get("proxy")
    if not address:
        return None
    # Chromium would go past a proxy to loopback: an exit is an exit.
    proxy = {"server": str(address), "bypass": "<-loopback>"}
    if token := request.headers.get("Proxy-Authorization"):
        user, _, password = base64.b64decode(token.split()[-1]).decode().partition(":")
        proxy |= {"username": user, "password": password}
    return proxy


class Spacing:
    """Keeps the pages of an exit apart, `interval` seconds from one to the next.

    Their turns were drawn in time; but they wait for room behind a slow page, and would then all
    be used at once.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next_at: dict[str, float] = {}

    async def wait(self, exit_name: str) -> None:
        """Return when the exit may load its next page."""
        now = asyncio.get_running_loop().time()
        begins_at = max(now, self._next_at.get(exit_name, now))
        self._next_at[exit_name] = begins_at + self._interval
        await asyncio.sleep(begins_at - now)


class BrowserReader:
    """Reads pages through Chromium, at most BROWSER_PAGES at once."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._site: str = settings["KASPI_URL"]
        self._state_patience = settings.getfloat("BROWSER_STATE_TIMEOUT")
        loading = settings.getfloat("BROWSER_TIMEOUT")
        self._patience = loading + self._state_patience + _HANDING_OVER
        self._room = asyncio.Semaphore(settings.getint("BROWSER_PAGES"))
        self._spacing = Spacing(settings.getfloat("PAGE_DELAY"))
        self._starting = asyncio.Lock()
        self._handler: Handler | None = None
        self._visits = count(1)

    async def read(self, request: Request) -> Response:
        """The page as Chromium holds it, with its state written out.

        Raises DownloadTimeoutError and DownloadFailedError for what the network did, BrowserTrouble
        for what the browser did; after each of them nothing is left of the page.
        """
        async with self._room:
            handler = await self._started()
            await self._spacing.wait(str(request.meta.get("proxy", "")))
            visit = self._visit(request)
            hung = False
            try:
                async with asyncio.timeout(self._patience):
                    return await self._read(handler, visit)
            except PlaywrightTimeoutError as error:
                raise DownloadTimeoutError(_first_line(error)) from error
            except TimeoutError as error:
                hung = True
                raise BrowserHangs("the browser: the page hangs") from error
            except PlaywrightError as error:
                raise _failure(error) from error
            finally:
                await self._leave(handler, visit, doubtful=hung)

    async def close(self) -> None:
        """End the browser and its driver."""
        if self._handler is not None:
            await self._end(self._handler)

    async def _started(self) -> Handler:
        async with self._starting:
            if self._handler is None:
                handler = Handler.from_crawler(self._crawler)
                handler.abort_request = Wanted(self._site)
                try:
                    await handler.start()
                except (PlaywrightError, OSError) as error:
                    raise BrowserTrouble(f"no browser: {error}") from error
                self._handler = handler
                logger.info("Chromium is started to read pages")
            return self._handler

    def _visit(self, request: Request) -> Request:
        """The request in scrapy-playwright's words."""
        context: dict[str, Any] = {
            "user_agent": USER_AGENT,
            "locale": "ru-RU",
            "service_workers": "block",
        }
        if proxy := exit_of(request):
            context["proxy"] = proxy
        referer = (request.headers.get("Referer") or b"").decode()
        return Request(
            request.url,
            dont_filter=True,
            meta={
                "playwright": True,
                "playwright_include_page": True,
                "playwright_context": f"visit {next(self._visits)}",
                "playwright_context_kwargs": context,
                "playwright_page_goto_kwargs": {
                    "wait_until": "domcontentloaded",
                    "referer": referer or None,
                },
            },
        )

    async def _read(self, handler: Handler, visit: Request) -> Response:
        self._crawler.stats.inc_value("browser/asked")
        response = await handler.download_request(visit)
        body = response.body
        if response.status == 200 and not holds_item(body):
            page: Page = visit.meta["playwright_page"]
            told = await page.evaluate(READ_STATE, self._state_patience * 1000)
            body = with_state(await page.content(), told)
        return HtmlResponse(
            response.url,
            status=response.status,
            headers=response.headers,
            body=body,
            encoding="utf-8",
            flags=["browser"],
        )

    async def _leave(self, handler: Handler, visit: Request, *, doubtful: bool) -> None:
        """Close the context with its page; replace a browser that is not well any more."""
        wrapper = handler.context_wrappers.get(visit.meta["playwright_context"])
        closed = wrapper is not None and await _closed(wrapper.context)
        self._tell_what_is_open(handler)
        # A context that was still being opened when the time was over is nobody's to close, and
        # scrapy-playwright keeps its place for ever.
        is_lost = doubtful and wrapper is None
        if is_lost or ((doubtful or not closed) and not await _is_well(handler)):
            await self._replace(handler)

    def _tell_what_is_open(self, handler: Handler) -> None:
        """The last of these figures say what was left open at the end of the crawl: nothing."""
        stats = self._crawler.stats
        stats.set_value("browser/pages_open", handler.pages_open)
        stats.set_value("browser/contexts_open", len(handler.context_wrappers))

    async def _replace(self, handler: Handler) -> None:
        """Let the next page start another browser. Those that read in this one will fail."""
        async with self._starting:
            if self._handler is handler:
                logger.warning("The browser has died or hangs: it is replaced")
                self._crawler.stats.inc_value("browser/replaced")
                self._handler = None
                await self._end(handler)

    async def _end(self, handler: Handler) -> None:
        # What hangs even now ends with its driver, at the latest when the crawl does.
        with contextlib.suppress(TimeoutError, PlaywrightError):
            async with asyncio.timeout(_GOODBYE):
                await handler.close()


async def _closed(context: BrowserContext) -> bool:
    """Close a context with its pages; False when that fails or hangs."""
    try:
        async with asyncio.timeout(_GOODBYE):
            await context.close()
    except (PlaywrightError, TimeoutError):
        return False
    return True


async def _is_well(handler: Handler) -> bool:
    """Whether the browser is there and still does something."""
    browser = getattr(handler, "browser", None)
    if browser is None:
        return False
    try:
        async with asyncio.timeout(_GOODBYE):
            context = await browser.new_context()
    except (PlaywrightError, TimeoutError):
        return False
    return await _closed(context)


def _failure(error: PlaywrightError) -> DownloadFailedError:
    """What the network did to a page is told as net::ERR_…; all else the browser did itself."""
    kind = DownloadFailedError if "net::ERR_" in error.message else BrowserTrouble
    return kind(_first_line(error))


def _first_line(error: PlaywrightError) -> str:
    """What went wrong; below it playwright writes what it did before."""
    return f"the browser: {error.message.partition(chr(10))[0]}"
