"""One small market for the tests that only look, one for those that move it, and a browser."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from sandbox.world import World, world

#: Noon in Almaty.
START = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
#: A real moment that has nothing to do with the sandbox's.
REAL = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)

CHROMIUM = "/usr/bin/chromium"
needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}"
)


@pytest.fixture(scope="session")
def still() -> World:
    """A market of 40 cards that nobody may move."""
    return world(seed=7, products=40, start=START, real_clock=lambda: REAL)


@pytest.fixture
def market() -> World:
    """A market of 12 cards of one's own."""
    return world(seed=7, products=12, start=START, real_clock=lambda: REAL)


@pytest.fixture
async def browser_page() -> AsyncIterator[Page]:
    loopback = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", loopback]
        )
        yield await browser.new_page()
        await browser.close()
