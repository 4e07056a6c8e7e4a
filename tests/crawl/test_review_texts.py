"""`scrapy crawl reviews -a texts=yes`: what buyers write, once, and never who they are."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from aiohttp import web
from scrapy.utils.test import get_crawler

from domain.identity import ProductId
from domain.reviews import ReviewText, ReviewTexts
from kaspi_crawler.conversation import Heard
from kaspi_crawler.pages.reviews import TextsPart
from kaspi_crawler.pages.texts import MOST_PAGES, TextsReading
from kaspi_crawler.spiders.reviews import ReviewsSpider
from partners.call import Answer
from tests.building import START
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Workplace, listed
from tests.crawl.liar import Asked, Liar, honestly
from tests.crawl.market import Market
from tests.crawl.remembered import rows
from tests.crawl.test_products import CARDS

#: What the sandbox writes as authors and order numbers (`000000012`).
PEOPLE = ("Автор", "orderNumber", '"author"')


@attrs.frozen(kw_only=True)
class Written:
    """All cards read, then once more, then whole once more."""

    place: Workplace
    market: Market
    ended: Ended
    asked: tuple[int, int, int]
    first: list[dict[str, Any]]
    again: Ended


def held(place: Workplace) -> list[dict[str, Any]]:
    return rows(place.database, "SELECT * FROM review_texts ORDER BY id")


@pytest.fixture(scope="module")
def written(open_workplace: Opener, market: Market) -> Written:
    place = open_workplace()
    told = {"products": listed(CARDS), "texts": "yes"}
    counts = [market.asked()]
    ended = place.crawl("reviews", told)
    first = held(place)
    counts.append(market.asked())
    again = place.crawl("reviews", told)
    counts.append(market.asked())
    place.crawl("reviews", {**told, "texts": "all"})
    counts.append(market.asked())
    asked = tuple(after - before for before, after in pairwise(counts))
    return Written(
        place=place,
        market=market,
        ended=ended,
        asked=(asked[0], asked[1], asked[2]),
        first=first,
        again=again,
    )


def texts_of(market: Market, product: str) -> list[str]:
    return [text for _, text in market.reviews(product) if text]


def test_every_text_is_kept(written: Written) -> None:
    assert (written.ended.code, written.ended.reason) == (0, "finished")
    for product in CARDS:
        wanted = texts_of(written.market, product)
        kept = rows(
            written.place.database,
            "SELECT text FROM review_texts JOIN reviewed_products ON review_id = id"
            " WHERE reviewed_products.kaspi_id = %s",
            product,
        )
        assert sorted(one["text"] for one in kept) == sorted(wanted)
    assert len(written.first) > 100


def test_the_ratings_come_with_the_first_page(written: Written) -> None:
    for product in CARDS:
        wanted = len(written.market.reviews(product))
        found = rows(
            written.place.database,
            "SELECT rating_amount FROM products WHERE kaspi_id = %s",
            product,
        )
        assert [one["rating_amount"] for one in found] == ([wanted] if wanted else [])


def test_a_second_run_asks_for_one_page_of_each(written: Written) -> None:
    pages = [max(1, -(-len(texts_of(written.market, product)) // 100)) for product in CARDS]
    first, second, whole = written.asked
    assert second == len(CARDS)
    assert first == whole >= sum(pages)
    assert max(pages) > 1


def test_reading_again_changes_nothing(written: Written) -> None:
    assert (written.again.code, written.again.reason) == (0, "finished")
    assert held(written.place) == written.first


def everything_written(place: Workplace) -> str:
    """All rows of all tables, and all exports, as text."""
    said = [path.read_text(encoding="utf-8") for path in place.exports.rglob("*") if path.is_file()]
    with psycopg.connect(place.database) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (table,) in tables:
            told = connection.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
            said.append(str(told))
    return "\n".join(said)


def test_nobody_is_named_in_the_database_or_the_exports(written: Written) -> None:
    said = everything_written(written.place)
    assert "Всё отлично, спасибо!" in said
    for word in PEOPLE:
        assert word not in said
    assert "'000000001'" not in said


def test_an_interrupted_reading_leaves_no_gap(
    open_workplace: Opener, market: Market, liar: Liar
) -> None:
    """Page 1 is refused for ever: the next reading does not stop at what page 0 had brought."""
    product = max(CARDS, key=lambda one: len(texts_of(market, one)))
    wanted = len(texts_of(market, product))
    assert wanted > 100

    async def refuse_second(asked: Asked) -> web.StreamResponse:
        if asked.request.query.get("page") == "1":
            return web.Response(body=b'{"author":"\xd0\x98\xd0\xbc\xd1\x8f", "data": 7}')
        return await honestly(asked)

    place = open_workplace(liar.address)
    told = {"products": product, "texts": "yes"}
    liar.lie("reviews", product, refuse_second)
    ended = place.crawl("reviews", told)
    assert ended.sentences_about(product, "was not read")
    assert len(held(place)) == 100
    assert rows(place.database, "SELECT * FROM review_readings") == []
    kept = [path.read_bytes() for path in Path(place.data / "quarantine").rglob("*.body")]
    assert kept == [b'{"author":"", "data": 7}']
    described = (path.read_text() for path in Path(place.data / "quarantine").rglob("*.json"))
    assert "Имя" not in "".join((ended.said, *described))
    del liar.lies["reviews", product]
    assert place.crawl("reviews", told).code == 0
    assert len(held(place)) == wanted


def test_reviews_without_an_end_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    settings = {"KASPI_URL": "http://127.0.0.1"}
    spider = ReviewsSpider.from_crawler(get_crawler(ReviewsSpider, settings), products="104500100")
    reading = TextsReading(product=ProductId("104500100"), known=frozenset(), page=MOST_PAGES - 1)
    one = ReviewText(
        id="r1",
        written_on=START.date(),
        rating=5,
        plus="",
        minus="",
        text="Кипятит.",
        photos=0,
        merchant_id=None,
    )
    answer = Answer(status=200, body=b"{}", address="http://127.0.0.1/")
    part = TextsPart(reviews=(one,), summary=None, whole=True)
    (kept,) = spider._take_texts(reading, part, Heard(answer=answer, moment=START))
    assert isinstance(kept, ReviewTexts)
    assert not kept.final
    assert "The reviews of product 104500100 have no end" in caplog.text
