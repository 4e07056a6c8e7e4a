"""The pages read every cassette: ours of the sandbox, and those that you keep of the live site.

`scrapy record --refresh` records them anew. No socket is opened here.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from betamax import Betamax

from domain.product import ProductCard, Rung
from domain.reviews import ReviewSummary
from kaspi_crawler.pages.listing import ListingPart
from kaspi_crawler.pages.offers import OffersPart
from kaspi_crawler.recordings.cassettes import Kept, kept_in
from kaspi_crawler.recordings.comparison import complaints
from kaspi_crawler.recordings.subjects import Listing, Product, Question, subject_of
from partners.kaspi.storefront import Storefront
from tests.crawl.test_products import CARDS

OURS = Path(__file__).parents[1] / "cassettes"
LIVE = Path(os.environ.get("CASSETTES_DIR", Path(__file__).parents[2] / "recordings"))
#: What the sandbox's answers were recorded from.
SANDBOX = Storefront("http://127.0.0.1:8801")
#: An offer that the market had when they were recorded.
UNSOLD = "100052782"


def cassettes(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.json"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a recording needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def questions(cassette: Path, site: Storefront) -> Iterator[tuple[Question, Kept]]:
    subject = subject_of(cassette.stem)
    kept = kept_in(cassette, subject, site)
    for question in subject.questions(site):
        assert question.name in kept, f"{cassette.name} lacks its {question.name}"
        yield question, kept[question.name]


def test_there_are_cassettes() -> None:
    assert len(cassettes(OURS)) == 4
    assert all(path.stat().st_size < 40_000 for path in cassettes(OURS))


@pytest.mark.parametrize(
    "cassette", [*cassettes(OURS), *cassettes(LIVE)], ids=lambda path: str(path.stem)
)
def test_the_pages_read_all_of_it(cassette: Path) -> None:
    for question, kept in questions(cassette, Storefront("https://kaspi.kz")):
        assert list(complaints(question, kept)) == []


@pytest.mark.parametrize(
    "cassette", sorted(OURS.glob("product-*.json")), ids=lambda path: path.stem
)
def test_what_is_read_is_what_the_market_sells(cassette: Path) -> None:
    subject = subject_of(cassette.stem)
    assert isinstance(subject, Product)
    told = [
        question.read(kept.answer, kept.moment) for question, kept in questions(cassette, SANDBOX)
    ]
    card, offers, reviews = told
    assert isinstance(card, ProductCard)
    assert isinstance(offers, OffersPart)
    assert isinstance(reviews, ReviewSummary)
    sold = CARDS[subject.id]
    assert (card.rung, card.city_id, card.kaspi_id) == (Rung.STATE, subject.city, subject.id)
    assert (card.name, card.category_id) == (sold.title, sold.kind.category_id)
    assert card.specifications
    assert len(offers.offers) == offers.total
    assert card.price == min((offer.price for offer in offers.offers), default=None)
    assert (subject.id == UNSOLD) == (not offers.offers)


def test_a_listing_is_read_as_the_market_lists_it() -> None:
    (cassette,) = OURS.glob("category-*.json")
    subject = subject_of(cassette.stem)
    assert isinstance(subject, Listing)
    first, following = (
        question.read(kept.answer, kept.moment) for question, kept in questions(cassette, SANDBOX)
    )
    assert isinstance(first, ListingPart)
    assert isinstance(following, ListingPart)
    sold = {card.id for card in CARDS.values() if card.kind.leaf == subject.query.value}
    listed = {card.kaspi_id for card in first.cards}
    assert listed
    assert first.total
    assert (first.unreadable, following.unreadable) == ((), ())
    assert listed <= sold


@pytest.mark.parametrize("cassette", cassettes(OURS), ids=lambda path: str(path.stem))
def test_betamax_replays_it_to_whoever_asks_the_same(cassette: Path) -> None:
    session = requests.Session()
    recorder = Betamax(session, cassette_library_dir=str(OURS))
    matchers = ["method", "uri", "body"]
    with recorder.use_cassette(cassette.stem, record="none", match_requests_on=matchers):
        for question, kept in questions(cassette, SANDBOX):
            call = question.call
            answer = session.request(
                call.method, call.address, data=call.body or None, headers=dict(call.headers)
            )
            assert answer.content == kept.answer.body
