"""Chromium is found, or its absence is a sentence; a plain crawl knows nothing of it."""

from pathlib import Path

import pytest

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.browser import executable
from tests.browser.scripted import by_script
from tests.crawl import liar as lies
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Workplace, listed
from tests.crawl.liar import lying
from tests.crawl.market import Market
from tests.crawl.test_products import CARDS

SHELL, MARKUP, PLAIN = list(CARDS)[7:10]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH on which there is nothing yet."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(directory: Path, name: str) -> Path:
    path = directory / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_there_may_be_none(bare: Path) -> None:
    assert executable.chromium("") is None


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_each_usual_name_is_found(bare: Path, name: str) -> None:
    only = program(bare, name)
    assert executable.chromium("") == only


def test_debians_own_goes_first(bare: Path) -> None:
    program(bare, "google-chrome")
    debians = program(bare, "chromium")
    assert executable.chromium("") == debians


def test_the_one_that_is_named_is_taken(bare: Path) -> None:
    program(bare, "chromium")
    named = program(bare, "another")
    assert executable.chromium(str(named)) == named


def test_a_name_without_a_program_is_told(bare: Path) -> None:
    with pytest.raises(BadArgument, match=r"CHROMIUM=/nowhere/chromium: .*apt-get install"):
        executable.chromium("/nowhere/chromium")


@pytest.mark.parametrize(
    ("user", "without_sandbox"),
    [
        pytest.param(0, True, id="root's Chromium does not start with a sandbox"),
        pytest.param(1000, False, id="an ordinary user's keeps it"),
    ],
)
def test_the_sandbox_is_left_out_for_root_alone(
    monkeypatch: pytest.MonkeyPatch, user: int, without_sandbox: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert ("--no-sandbox" in executable.flags("https://kaspi.kz")) is without_sandbox


def test_a_replica_on_this_machine_is_all_that_the_browser_can_reach() -> None:
    assert any("NOTFOUND" in flag for flag in executable.flags("http://127.0.0.1:8801"))
    assert not any("NOTFOUND" in flag for flag in executable.flags("https://kaspi.kz"))


def test_always_without_a_browser_ends_before_the_first_request(
    workplace: Workplace, market: Market, bare: Path
) -> None:
    before = market.asked()
    ended = workplace.crawl("products", {"products": PLAIN, "browser": "always"})
    assert ended.code == 2
    assert ended.said == (
        "scrapy crawl: browser=always: there is no Chromium here: install Debian's "
        "(apt-get install chromium), or name one: CHROMIUM=/usr/bin/…\n"
    )
    assert market.asked() == before


def test_auto_without_a_browser_says_so_once_and_reads_on(
    market: Market, open_workplace: Opener, bare: Path
) -> None:
    with lying(market.address) as liar:
        liar.lie("page", SHELL, lies.EMPTY_SHELL)
        liar.lie("page", MARKUP, by_script(with_markup=True))
        place = open_workplace(liar.address)
        ended = place.crawl("products", {"products": listed([SHELL, MARKUP, PLAIN])})
    assert ended.reason == "finished"
    assert len(ended.sentences_about("no Chromium", "apt-get install chromium")) == 1
    rungs = {line["kaspi_id"]: line["rung"] for line in place.latest("products")}
    assert rungs == {MARKUP: "ld+json", PLAIN: "state"}
    assert liar.asked["page", MARKUP] == 1


def test_a_crawl_of_whole_pages_loads_nothing_of_the_browser(workplace: Workplace) -> None:
    ended = workplace.crawl(
        "products", {"products": PLAIN}, environment={"PYTHONPROFILEIMPORTTIME": "1"}
    )
    assert ended.code == 0
    assert "kaspi_crawler.browser.handler" in ended.said
    assert not ended.sentences_about("playwright")
