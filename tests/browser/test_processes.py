"""The browser's processes: one that dies is replaced, and none outlives its crawl."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

import attrs
import pytest

from tests.browser.processes import assert_all_end, browser_of, family
from tests.browser.scripted import by_script, endless, endless_later, slow
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Crawl, Ended, Workplace, eventually, listed
from tests.crawl.liar import Liar, hanging, lying
from tests.crawl.market import Market, selling
from tests.crawl.test_products import CARDS

PRODUCTS = list(CARDS)[7:15]
#: Pages of the long test.
PAGES = 200

pytestmark = pytest.mark.usefixtures("chromium")


@attrs.frozen
class Stage:
    """A market behind a liar, and a crawl's place with a directory for temporary files."""

    liar: Liar
    place: Workplace
    temporary: Path

    def crawling(
        self, browser: str = "always", settings: dict[str, object] | None = None
    ) -> AbstractContextManager[Crawl]:
        """A crawl of PRODUCTS whose Chromium names the directory, to be told from others."""
        return self.place.started(
            "products",
            {"products": listed(PRODUCTS), "browser": browser},
            settings=settings,
            environment={"TMPDIR": str(self.temporary)},
        )

    def read(self) -> set[str]:
        """The products that were read."""
        return {line["kaspi_id"] for line in self.place.latest("products")}


@pytest.fixture
def stage(market: Market, open_workplace: Opener) -> Iterator[Stage]:
    # Of a short name: Chromium puts a socket into it, whose path has a limit.
    with lying(market.address) as liar, tempfile.TemporaryDirectory(prefix="browser-") as temporary:
        yield Stage(liar, open_workplace(liar.address), Path(temporary))


def figures(ended: Ended, place: Workplace) -> dict[str, int]:
    """All figures of the crawl, from its JSON log."""
    (log,) = sorted((place.data / "logs").rglob("*.jsonl"))[-1:]
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return next(line["figures"] for line in reversed(lines) if "figures" in line)


def test_pages_in_a_row_leave_nothing_open(stage: Stage) -> None:
    stage.liar.lie("page", "*", by_script())
    with stage.crawling(browser="auto") as crawl:
        browser_of(crawl.process.pid)
        started = family(crawl.process.pid)
        ended = crawl.end()
    assert ended.code == 0
    assert stage.read() == set(PRODUCTS)
    assert_closed(figures(ended, stage.place), len(PRODUCTS))
    assert_all_end(started, stage.temporary)
    assert list(stage.temporary.iterdir()) == []


def assert_closed(told: dict[str, int], pages: int) -> None:
    """No page was opened twice, all were closed with their contexts, in one browser."""
    assert told["browser/asked"] == told["playwright/page_count"] == pages
    assert told["playwright/context_count"] == pages
    assert told["browser/pages_open"] == told["browser/contexts_open"] == 0
    assert told["playwright/page_count/max_concurrent"] <= 2
    assert told["playwright/context_count/max_concurrent"] <= 2
    assert told["playwright/browser_count"] == 1


def test_a_browser_that_is_killed_is_replaced_and_no_product_is_lost(stage: Stage) -> None:
    stage.liar.lie("page", "*", slow)
    with stage.crawling() as crawl:
        first = browser_of(crawl.process.pid)
        eventually(lambda: stage.liar.asked.total() >= 3)
        started = family(crawl.process.pid)
        os.kill(first.id, signal.SIGKILL)
        ended = crawl.end()
    assert ended.code == 0, ended.said
    assert stage.read() == set(PRODUCTS)
    assert figures(ended, stage.place)["playwright/browser_count"] == 2
    assert_all_end(started, stage.temporary)


@pytest.mark.long
def test_a_driver_that_is_killed_is_replaced_and_no_product_is_lost(stage: Stage) -> None:
    stage.liar.lie("page", "*", slow)
    with stage.crawling(settings={"BROWSER_TIMEOUT": 5}) as crawl:
        browser = browser_of(crawl.process.pid)
        eventually(lambda: stage.liar.asked.total() >= 3)
        started = family(crawl.process.pid)
        os.kill(browser.parent, signal.SIGKILL)
        ended = crawl.end()
    assert ended.code == 0, ended.said
    assert stage.read() == set(PRODUCTS)
    assert_all_end(started, stage.temporary)


HANGING = {
    "a script that never ends while the page loads": endless,
    "a script that never ends when the page has come": endless_later,
    "a page that never comes": hanging,
}


def test_a_page_that_hangs_costs_itself_and_leaves_nothing(stage: Stage) -> None:
    lost = PRODUCTS[: len(HANGING)]
    for product, lie in zip(lost, HANGING.values(), strict=True):
        stage.liar.lie("page", product, lie)
    settings: dict[str, object] = {
        "BROWSER_TIMEOUT": 6,
        "BROWSER_STATE_TIMEOUT": 2,
        "RETRY_TIMES": 0,
    }
    with stage.crawling(settings=settings) as crawl:
        browser_of(crawl.process.pid)
        started = family(crawl.process.pid)
        ended = crawl.end()
    assert ended.reason == "finished"
    assert stage.read() == set(PRODUCTS) - set(lost)
    for product, name in zip(lost, HANGING, strict=True):
        assert ended.sentences_about(product, "the browser"), name
    assert_all_end(started, stage.temporary)


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL],
)
def test_no_process_outlives_a_crawl_that_is_stopped(stage: Stage, number: signal.Signals) -> None:
    stage.liar.lie("page", "*", slow)
    with stage.crawling() as crawl:
        browser_of(crawl.process.pid)
        eventually(lambda: stage.liar.asked.total() >= 2)
        started = family(crawl.process.pid)
        ended = crawl.end(number)
    assert_all_end(started, stage.temporary)
    if number != signal.SIGKILL:
        assert ended.reason == "shutdown"
        assert not re.search("Traceback|never retrieved", ended.said), ended.said


@pytest.mark.long
def test_two_hundred_pages_in_a_row_leave_nothing_open(
    open_workplace: Opener, tmp_path: Path
) -> None:
    with selling(tmp_path, products=PAGES) as market, lying(market.address) as liar:
        liar.lie("page", "*", by_script())
        place = open_workplace(liar.address)
        chosen = {"products": listed(market.offers), "browser": "always"}
        with place.started("products", chosen) as crawl:
            seen = watched(crawl.process)
            ended = crawl.end()
    assert ended.code == 0, ended.said
    assert {line["rung"] for line in place.latest("products")} == {"browser"}
    assert len(place.latest("products")) == PAGES
    assert_closed(figures(ended, place), PAGES)
    # The browser keeps a spare process or two: not one for each page that it has read.
    first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert median(second) <= median(first) + 2, seen
    assert max(seen) <= 24, seen


def watched(process: subprocess.Popen[str]) -> list[int]:
    """How many processes the crawl had, twice a second from the browser's start to its end."""
    browser_of(process.pid)
    seen = []
    while (process.poll() is None) and (now := family(process.pid)):
        seen.append(len(now))
        time.sleep(0.5)
    return seen
