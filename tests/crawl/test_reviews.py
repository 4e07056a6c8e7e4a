"""`scrapy crawl reviews`: ratings and their numbers, and nothing else."""

import attrs
import pytest

from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Workplace, listed
from tests.crawl.market import Market
from tests.crawl.remembered import events, product, rows
from tests.crawl.test_products import CARDS, STRANGER


@attrs.frozen(kw_only=True)
class Reviewed:
    """Two crawls of products that nobody had read before: the second finds nothing new."""

    place: Workplace
    market: Market
    ended: Ended
    events: dict[str, int]
    again: Ended

    def ratings(self, kaspi_id: str) -> list[tuple[int, str]]:
        return self.market.reviews(kaspi_id)


@pytest.fixture(scope="module")
def reviewed(open_workplace: Opener, market: Market) -> Reviewed:
    place = open_workplace()
    told = {"products": listed([*CARDS, STRANGER])}
    ended = place.crawl("reviews", told)
    first = events(place.database)
    return Reviewed(
        place=place, market=market, ended=ended, events=first, again=place.crawl("reviews", told)
    )


@pytest.fixture(scope="module")
def rated(reviewed: Reviewed) -> list[str]:
    rated: list[str] = [kaspi_id for kaspi_id in CARDS if reviewed.ratings(kaspi_id)]
    assert 0 < len(rated) < len(CARDS)
    return rated


def test_it_ends_well(reviewed: Reviewed) -> None:
    assert (reviewed.ended.code, reviewed.ended.reason) == (0, "finished")
    assert (reviewed.again.code, reviewed.again.reason) == (0, "finished")


def test_all_ratings_and_those_with_a_text_are_counted(
    reviewed: Reviewed, rated: list[str]
) -> None:
    for kaspi_id in rated:
        ratings = reviewed.ratings(kaspi_id)
        told = product(reviewed.place.database, kaspi_id)
        assert told["rating_amount"] == len(ratings)
        assert told["review_amount"] == sum(bool(text) for _, text in ratings)
        stars = {rate: sum(given == rate for given, _ in ratings) for rate in range(1, 6)}
        assert dict(told["rating_stars"]) == stars


def test_the_lines_say_what_the_table_says(reviewed: Reviewed, rated: list[str]) -> None:
    lines = {line["kaspi_id"]: line for line in reviewed.place.lines("reviews")}
    assert set(lines) == set(rated)
    for kaspi_id, line in lines.items():
        told = product(reviewed.place.database, kaspi_id)
        assert line["kind"] == "reviews"
        assert line["rate"] == (told["rate"] and float(told["rate"]))
        assert line["rating_amount"] == told["rating_amount"]
        assert line["review_amount"] == told["review_amount"]


def test_nobody_who_wrote_a_review_is_remembered(reviewed: Reviewed) -> None:
    (*_, path) = reviewed.place.files("reviews")
    assert "Автор" not in path.read_text(encoding="utf-8")


def test_an_unknown_product_that_nobody_rated_is_named_and_not_remembered(
    reviewed: Reviewed, rated: list[str]
) -> None:
    known = rows(reviewed.place.database, "SELECT kaspi_id FROM products")
    assert {one["kaspi_id"] for one in known} == set(rated)
    assert reviewed.ended.sentences_about(STRANGER, "not stored", "nothing is known")


def test_reading_the_same_again_adds_no_row(reviewed: Reviewed, rated: list[str]) -> None:
    assert reviewed.events == {"product_history/seen": len(rated)}
    assert events(reviewed.place.database) == reviewed.events
