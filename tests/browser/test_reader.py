"""What a reading leaves behind when its time is over, and how far pages are kept apart."""

import asyncio
from typing import Any

import attrs
import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler

from kaspi_crawler.browser.reader import BrowserReader, Spacing
from kaspi_crawler.browser.trouble import BrowserHangs


class Context:
    """A context that opens and closes: the browser is well."""

    async def close(self) -> None:
        """Close it."""

    async def new_context(self) -> "Context":
        """A browser opens contexts."""
        return self


@attrs.define
class SlowHandler:
    """Never gets as far as to a context that could be closed."""

    ended: bool = False
    pages_open: int = 0
    browser: Context = attrs.field(factory=Context)
    context_wrappers: dict[str, Any] = attrs.field(factory=dict)

    async def download_request(self, _request: Request) -> None:
        """Wait without an end."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the browser."""
        self.ended = True


async def test_a_browser_that_still_opens_a_context_when_time_is_over_is_replaced() -> None:
    told = {
        "KASPI_URL": "http://127.0.0.1",
        "PAGE_DELAY": 0,
        "BROWSER_PAGES": 1,
        "BROWSER_TIMEOUT": 0,
        "BROWSER_STATE_TIMEOUT": 0,
    }
    reader, handler = BrowserReader(get_crawler(settings_dict=told)), SlowHandler()
    reader._handler = handler  # type: ignore[assignment]
    with pytest.raises(BrowserHangs):
        await reader.read(Request("http://127.0.0.1/shop/p/-1/"))
    assert (handler.ended, reader._handler) == (True, None)


async def test_pages_that_waited_behind_a_slow_one_are_not_loaded_all_at_once() -> None:
    loop, spacing = asyncio.get_running_loop(), Spacing(0.2)
    loaded: list[float] = []

    async def load(exit_name: str) -> None:
        await spacing.wait(exit_name)
        loaded.append(loop.time())

    await asyncio.gather(load("a"), load("a"), load("a"))
    first, second, third = loaded
    assert min(second - first, third - second) > 0.19


async def test_pages_of_different_exits_do_not_wait_for_each_other() -> None:
    loop, spacing = asyncio.get_running_loop(), Spacing(60)
    began = loop.time()
    await asyncio.gather(spacing.wait("a"), spacing.wait("b"))
    assert loop.time() - began < 30
