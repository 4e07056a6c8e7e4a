"""Answers made to hurt are refused with a name, soon, and without taking the memory.

A crawl passes no more than DOWNLOAD_MAXSIZE to a page; tests/crawl/test_hostile.py shows that.
"""

import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from domain.identity import ProductId
from domain.readings import Source
from kaspi_crawler.pages.known import drifts
from kaspi_crawler.pages.offers import OffersPage
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage
from kaspi_crawler.settings import DOWNLOAD_MAXSIZE
from tests.pages import building
from tests.pages.building import ALMATY, KETTLE, answer, to_json

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
#: Seconds of work and megabytes that one answer may take.
SECONDS = 10
MEGABYTES = 400

OPEN = b"BACKEND.components.item = {"


def full(piece: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """As many pieces as an answer may hold."""
    return before + piece * ((DOWNLOAD_MAXSIZE - len(before) - len(after)) // len(piece)) + after


PAGES: dict[str, Callable[[], bytes]] = {
    "a million braces": lambda: full(b"{"),
    "a million braces in a state": lambda: full(b"{", b"<script>" + OPEN, b"</script></html>"),
    "braces that balance": lambda: (
        b"<script>" + OPEN[:-1] + b'{"a":' * 400_000 + b"1" + b"}" * 400_000 + b"</script></html>"
    ),
    "a state that begins a thousand times": lambda: full(OPEN + b" ", b"<script>"),
    "a state in each of many scripts": lambda: full(b"<script>" + OPEN + b"</script>"),
    "assignments without end": lambda: full(
        b'={"card":', b"<script>" + KETTLE.encode(), b"</script></html>"
    ),
    "quotes without end": lambda: full(b'"\\', b"<script>" + OPEN, b"</script></html>"),
    "JavaScript without end": lambda: full(
        b"{a:", b"<script>BACKEND.components.item = ", b"</script></html>"
    ),
    "spaces after the name": lambda: full(b" ", b"<script>BACKEND.components.item"),
    "elements in elements": lambda: full(b"<b>", b"<html>"),
    "elements beside elements": lambda: full(b"<i/>", b"<html>"),
    "metas without end": lambda: full(b'<meta name="a" content="b">'),
    "scripts of ld+json": lambda: full(b'<script type="application/ld+json">{"a":1}</script>'),
    "an abyss in ld+json": lambda: (
        b'<script type="application/ld+json">'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"</script></html>"
    ),
    "nulls": lambda: full(b"\x00"),
    "a configurator without a floor": lambda: building.page(
        building.item_script(building.item(id="1")),
        "BACKEND.components.configurator = " + '{"matrix":[' * 50_000 + "]}" * 50_000,
    ).encode(),
}
ANSWERS: dict[str, Callable[[], bytes]] = {
    "an abyss of lists": lambda: b"[" * 100_000 + b"]" * 100_000,
    "an abyss of objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an abyss in an offer": lambda: (
        b'{"offers":[{"x":' + b"[" * 100_000 + b"]" * 100_000 + b'}],"total":1,"offersCount":1}'
    ),
    "lists without end": lambda: full(b"[],", b'{"offers":', b"}"),
    "a number without end": lambda: full(b"9", b'{"total":', b',"offers":1}'),
    "objects of one key": lambda: full(b'{"a":1},', b'{"data":[', b'1],"offers":1}'),
}


@pytest.fixture
def bounded() -> object:
    """Fails when the test takes too long or too much."""
    began, held = time.process_time(), _peak()
    yield None
    assert time.process_time() - began < SECONDS
    assert _peak() - held < MEGABYTES


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_page_is_refused(name: str, bounded: None) -> None:
    body = PAGES[name]()
    outcome = ProductPage(answer(body), KETTLE, NOW).to_item()
    assert isinstance(outcome, TryAgain | Unreadable)
    assert outcome.reason
    assert len(outcome.reason) < 300
    drifts(Source.PAGE, body)


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("source", [Source.OFFERS, Source.REVIEWS])
def test_a_hostile_answer_is_refused(source: Source, name: str, bounded: None) -> None:
    body = ANSWERS[name]()
    outcome = (
        OffersPage(answer(body), KETTLE, ALMATY, NOW).to_item()
        if source is Source.OFFERS
        else ReviewsPage(answer(body), KETTLE, NOW).to_item()
    )
    assert isinstance(outcome, TryAgain | Unreadable)
    assert len(outcome.reason) < 300
    drifts(source, body)


@pytest.mark.parametrize("name", [name for name in ANSWERS if "abyss" in name])
def test_an_abyss_has_a_name(name: str) -> None:
    outcome = OffersPage(answer(ANSWERS[name]()), KETTLE, ALMATY, NOW).to_item()
    assert isinstance(outcome, TryAgain), "another exit may bring the true answer"
    assert outcome.reason == "too_deep"


def test_variants_are_not_followed_for_ever() -> None:
    choice: dict[str, object] = building.choice(KETTLE)
    for _ in range(200):
        choice = building.choice(None, choice, id="a", title="b")
    text = building.page(
        building.item_script(building.item()), building.configurator_script(choice)
    )
    card = ProductPage(answer(text), ProductId(KETTLE), NOW).to_item()
    assert not isinstance(card, TryAgain | Unreadable)


def test_a_drift_of_a_thousand_keys_is_some(bounded: None) -> None:
    body = to_json({"offers": [], **{f"key{place}": 1 for place in range(100_000)}}).encode()
    assert len(drifts(Source.OFFERS, body)) == 50
