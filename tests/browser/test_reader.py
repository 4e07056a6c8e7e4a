"""What a reading leaves behind when its time is over before it has anything to close."""

import asyncio
from typing import Any

import attrs
import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler

from kaspi_crawler.browser.handler import BrowserHangs
from kaspi_crawler.browser.reader import BrowserReader


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
        "BROWSER_PAGES": 1,
        "BROWSER_TIMEOUT": 0,
        "BROWSER_STATE_TIMEOUT": 0,
    }
    reader, handler = BrowserReader(get_crawler(settings_dict=told)), SlowHandler()
    reader._handler = handler  # type: ignore[assignment]
    with pytest.raises(BrowserHangs):
        await reader.read(Request("http://127.0.0.1/shop/p/-1/"))
    assert (handler.ended, reader._handler) == (True, None)
