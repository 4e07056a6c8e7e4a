"""What the crawls of `tests/crawl` stand on, and a real Chromium."""

import os
import shutil

import pytest

from tests.crawl.conftest import (  # noqa: F401 - pytest finds fixtures by their names here
    counter,
    liar,
    market,
    open_workplace,
    shop_market,
    template,
    workplace,
)

#: The browsers that kaspi_crawler.browser.executable looks for.
_FOUND = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


@pytest.fixture(scope="session")
def chromium() -> None:
    """Without it the tests that need it are skipped and say how to get it; in CI they fail."""
    if _FOUND:
        return
    remedy = "no Chromium here: apt-get install --no-install-recommends chromium"
    if os.environ.get("CI"):
        pytest.fail(remedy)
    pytest.skip(remedy)
