"""What is kept of an answer reads as the answer did, and names nobody."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import ProductId
from domain.product import ProductCard, Rung
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage
from kaspi_crawler.recordings.scrub import scrubbed_json, scrubbed_page
from partners.call import Answer
from tests.pages.building import KETTLE, whole_page

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded" / "kaspi_storefront"
PAGES = sorted(RECORDED.glob("product_page_*"))

recorded = pytest.mark.skipif(
    not RECORDED.is_dir(),
    reason="the recordings are not part of the project: expected ../shared next to it",
)


def read(body: bytes, product: str) -> object:
    answer = Answer(status=200, body=body, address="https://kaspi.kz/shop/p/-1/?c=710000000")
    return ProductPage(answer, ProductId(product), NOW).to_item()


@recorded
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name[13:22])
def test_a_real_page_reads_the_same_in_a_tenth_of_its_size(path: Path) -> None:
    raw = path.read_bytes()
    body = gzip.decompress(raw) if path.suffix == ".gz" else raw
    kept = scrubbed_page(body)
    card = read(body, path.name[13:22])
    assert isinstance(card, ProductCard)
    assert read(kept, path.name[13:22]) == card
    assert len(kept) < len(body) / 10
    for word in (b"dsn", b"googletagmanager", b"data-city-id", b"sitekey"):
        assert word not in kept


@recorded
def test_real_reviews_read_the_same_and_name_nobody() -> None:
    body = (RECORDED / "reviews_106185651_2025-06.json").read_bytes()
    kept = scrubbed_json(body, people=("data",))
    before, after = (
        ReviewsPage(Answer(status=200, body=each, address=""), ProductId("106185651"), NOW)
        for each in (body, kept)
    )
    assert before.to_item() == after.to_item()
    for review in json.loads(body)["data"]:
        for said in (review["author"], review["orderNumber"], review["comment"]["text"]):
            assert not said or str(said).encode() not in kept


@pytest.mark.parametrize(
    ("hidden", "rung"),
    [
        pytest.param((), Rung.STATE, id="the state"),
        pytest.param(('"card"',), Rung.LD_JSON, id="linked data"),
        pytest.param(('"card"', '"Product"'), Rung.META, id="metas"),
    ],
)
def test_each_rung_of_a_page_survives(hidden: tuple[str, ...], rung: Rung) -> None:
    whole = whole_page()
    for word in hidden:
        whole = whole.replace(word, '"hidden"')
    card = read(whole.encode(), KETTLE)
    assert isinstance(card, ProductCard)
    assert card.rung is rung
    assert read(scrubbed_page(whole.encode()), KETTLE) == card


PEOPLE = {
    "author": "Айгерим Сапарова",
    "orderNumber": 123456789,
    "customer": {"firstName": "Айгерим", "cellPhone": "+77010000001"},
    "sessionId": "8f14e45fceea167a",
}


@given(
    st.recursive(
        st.just(PEOPLE),
        lambda deeper: st.dictionaries(st.text(max_size=3), deeper) | st.lists(deeper, max_size=3),
        max_leaves=5,
    )
)
def test_people_are_masked_wherever_they_stand(value: Any) -> None:
    kept = scrubbed_json(json.dumps(value).encode()).decode()
    for secret in ("Айгерим", "123456789", "+7701", "8f14e45f"):
        assert secret not in kept


@pytest.mark.parametrize(
    "said",
    [
        "звоните +7 701 123 45 67",
        "тел. 8 (701) 123-45-67",
        "87011234567",
        "+77011234567",
        "пишите на lavka@example.kz",
    ],
)
def test_telephones_and_mail_are_masked_in_any_text(said: str) -> None:
    kept = scrubbed_json(json.dumps({"title": said}).encode()).decode()
    assert "123" not in kept
    assert "lavka" not in kept


@pytest.mark.parametrize("number", ["102298404", "750000000", "361788.0", "3213650123"])
def test_ids_and_prices_are_no_telephones(number: str) -> None:
    assert number in scrubbed_json(json.dumps({"title": f"№ {number}"}).encode()).decode()


def test_the_shape_of_what_is_masked_stays() -> None:
    body = json.dumps({"data": [{"author": "А", "rating": 5, "ok": True, "minus": None}]})
    assert json.loads(scrubbed_json(body.encode(), people=("data",))) == {
        "data": [{"author": "", "rating": 0, "ok": True, "minus": None}]
    }
