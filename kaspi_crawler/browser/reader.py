"""Chromium as a reader of pages: each page in a context of its own, which ends with it.

scrapy-playwright drives it. What this adds: page and context are closed whatever happens
(scrapy-playwright keeps contexts, see its issues 126, 171, 183 and 240), a browser that hangs or
whose driver died is replaced, and failures have the names that RetryMiddleware knows.
"""

import asyncio
import base64
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError
from scrapy.http import HtmlResponse, Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from kaspi_crawler.browser.rendered import READ_STATE, with_state
from kaspi_crawler.browser.wanted import Wanted
from kaspi_crawler.pages.product_state import holds_item
from partners.kaspi.storefront import USER_AGENT

logger = logging.getLogger(__name__)

#: Seconds that closing a page, a context or a browser may take before it counts as hung.
_GOODBYE = 5.0


class Handler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """Started by its owner, not by a signal that has passed; tells of a page at once."""

    async def start(self) -> None:
        """Start the driver; the browser starts with the first page."""
        await self._launch()

    async def _create_page(self, request: Request, spider: Any) -> Page:
        page: Page = await super()._create_page(request, spider)
        request.meta["playwright_page"] = page  # before anything can fail
        return page

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


class BrowserReader:
    """Reads pages through Chromium, at most BROWSER_PAGES at once."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._site: str = crawler.settings["KASPI_URL"]
        self._patience = crawler.settings.getfloat("BROWSER_TIMEOUT")
        self._state_patience = crawler.settings.getfloat("BROWSER_STATE_TIMEOUT")
        self._room = asyncio.Semaphore(crawler.settings.getint("BROWSER_PAGES"))
        self._starting = asyncio.Lock()
        self._handler: Handler | None = None
        self._visits = count(1)

    async def read(self, request: Request) -> Response:
        """The page as Chromium holds it, with its state written out.

        Raises DownloadTimeoutError and DownloadFailedError, after both of which nothing is left
        of the page.
        """
        async with self._room:
            handler = await self._started()
            visit = self._visit(request)
            try:
                async with asyncio.timeout(self._patience + self._state_patience + _GOODBYE):
                    async with self._reading(handler, visit):
                        return await self._read(handler, visit)
            except PlaywrightTimeoutError as error:
                raise DownloadTimeoutError(_first_line(error)) from error
            except TimeoutError as error:
                await self._replace(handler, "it hung")
                raise DownloadTimeoutError("the browser hung, and was replaced") from error
            except PlaywrightError as error:
                if _driver_is_gone(error):
                    await self._replace(handler, "its driver is gone")
                raise DownloadFailedError(_first_line(error)) from error

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
                    raise DownloadFailedError(f"no browser: {error}") from error
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

    @asynccontextmanager
    async def _reading(self, handler: Handler, visit: Request) -> AsyncIterator[None]:
        """The page is closed at the end, and then its context."""
        try:
            yield
        finally:
            page: Page | None = visit.meta.get("playwright_page")
            if page is not None and not page.is_closed():
                await _ended(page.close())
            wrapper = handler.context_wrappers.get(visit.meta["playwright_context"])
            if wrapper is not None:
                await _ended(wrapper.context.close())
            self._tell_what_is_open(handler)

    def _tell_what_is_open(self, handler: Handler) -> None:
        """The last of these figures say what was left open at the end of the crawl: nothing."""
        stats = self._crawler.stats
        stats.set_value("browser/pages_open", handler.pages_open)
        stats.set_value("browser/contexts_open", len(handler.context_wrappers))

    async def _replace(self, handler: Handler, why: str) -> None:
        """Let the next page start another browser. Those that read in this one will fail."""
        async with self._starting:
            if self._handler is handler:
                logger.warning("The browser is replaced: %s", why)
                self._crawler.stats.inc_value("browser/replaced")
                self._handler = None
                await self._end(handler)

    async def _end(self, handler: Handler) -> None:
        with contextlib.suppress(TimeoutError):  # hung: it ends when its driver does
            await _ended(handler.close())


async def _ended(goodbye: Coroutine[Any, Any, None]) -> None:
    """Wait for the end of what may be gone already. Raises TimeoutError when it hangs."""
    with contextlib.suppress(PlaywrightError):
        async with asyncio.timeout(_GOODBYE):
            await goodbye


def _driver_is_gone(error: PlaywrightError) -> bool:
    return "Connection closed" in error.message


def _first_line(error: PlaywrightError) -> str:
    """What went wrong; below it playwright writes what it did before."""
    return f"the browser: {error.message.partition(chr(10))[0]}"
