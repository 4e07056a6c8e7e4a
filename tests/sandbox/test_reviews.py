"""The reviews API: totals on request, groups of nobody left out, colours share."""

import json
from functools import cache
from typing import Any

import pytest

from domain.identity import ProductId
from sandbox.catalogue import Card
from sandbox.reviews import ReviewsDesk, Wanted
from sandbox.world import World, world
from tests.sandbox.conftest import START

TOTALS = Wanted(with_totals=True)


@pytest.fixture(scope="module")
def busy() -> World:
    return world(seed=7, products=120, start=START)


def asked(market: World, product: ProductId, wanted: Wanted = TOTALS) -> Any:
    return json.loads(desk_of(market).answer(product, wanted).plain)


@cache
def desk_of(market: World) -> ReviewsDesk:
    return ReviewsDesk(market)


def groups(answer: Any) -> dict[str, int]:
    return {group["id"]: group["total"] for group in answer["groupSummary"]}


def loved(market: World) -> Card:
    """The card with most reviews."""
    counts = {card: groups(asked(market, card.id)).get("ALL", 0) for card in market.cards.values()}
    return max(counts, key=lambda card: counts[card])


def test_totals_come_only_when_asked_for(busy: World) -> None:
    assert set(asked(busy, loved(busy).id, Wanted())) == {"data"}


def test_totals_add_up(busy: World) -> None:
    for product in busy.cards:
        answer = asked(busy, product)
        counts = groups(answer)
        stars = {star["rate"]: star["count"] for star in answer["summary"]["statistic"]}
        assert sum(stars.values()) == counts.get("ALL", 0)
        both = counts.get("POSITIVE", 0) + counts.get("NEGATIVE", 0)
        assert both == counts.get("COMMENT", 0) <= counts.get("ALL", 0)
        if stars:
            mean = sum(rate * count for rate, count in stars.items()) / counts["ALL"]
            assert abs(mean - answer["summary"]["global"]) <= 0.0501


def test_groups_of_nobody_are_left_out(busy: World) -> None:
    told = [groups(asked(busy, product)) for product in busy.cards]
    assert all(total > 0 for counts in told for total in counts.values())
    assert any(counts and "NEGATIVE" not in counts for counts in told)
    assert any("NEGATIVE" in counts for counts in told)


def test_an_unknown_card_has_no_reviews_and_no_groups(busy: World) -> None:
    answer = asked(busy, ProductId("1"))
    assert (answer["data"], answer["groupSummary"], answer["summary"]["statistic"]) == ([], [], [])


def test_sizes_of_a_colour_share_their_reviews(busy: World) -> None:
    families = [card.family for card in busy.cards.values() if card.family]
    shades = [shade for family in families for shade in family.shades]
    for shade in shades:
        told = [asked(busy, sibling.id) for sibling in shade.siblings]
        assert all(groups(one) == groups(told[0]) for one in told)
    alone = {str(groups(asked(busy, shade.siblings[0].id))) for shade in shades}
    assert len(alone) > 1


@pytest.mark.parametrize(
    ("group", "belongs"),
    [
        pytest.param("COMMENT", lambda r: r["comment"]["text"], id="with a text"),
        pytest.param("PICTURE", lambda r: r["galleryImages"], id="with pictures"),
        pytest.param("POSITIVE", lambda r: r["rating"] > 3, id="of the happy"),
        pytest.param("NEGATIVE", lambda r: r["rating"] < 4, id="of the unhappy"),
    ],
)
def test_a_filter_gives_reviews(busy: World, group: str, belongs: Any) -> None:
    answer = asked(busy, loved(busy).id, Wanted(group=group, limit=5_000, with_totals=True))
    assert len(answer["data"]) == groups(answer)[group]
    assert all(belongs(review) for review in answer["data"])


def test_all_counts_stars_without_a_text_too(busy: World) -> None:
    answer = asked(busy, loved(busy).id, Wanted(group="ALL", limit=5_000, with_totals=True))
    assert len(answer["data"]) == groups(answer)["ALL"] > groups(answer)["COMMENT"]


def test_pages_put_together_are_the_whole(busy: World) -> None:
    product = loved(busy).id
    whole = asked(busy, product, Wanted(limit=5_000))["data"]
    pages = [asked(busy, product, Wanted(limit=7, page=page))["data"] for page in range(4)]
    assert [review["id"] for page in pages for review in page] == [r["id"] for r in whole[:28]]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        pytest.param("POPULARITY", lambda r: -r["feedback"]["positive"], id="most liked first"),
        pytest.param("DATE", lambda r: [-int(n) for n in r["date"].split(".")[::-1]], id="newest"),
        pytest.param("RATING", lambda r: -r["rating"], id="best first"),
    ],
)
def test_reviews_are_sorted(busy: World, sort: str, key: Any) -> None:
    data = asked(busy, loved(busy).id, Wanted(sort=sort, limit=200))["data"]
    assert len(data) > 9
    assert data == sorted(data, key=key)


def test_one_sellers_reviews_are_his_alone(busy: World) -> None:
    product = loved(busy).id
    merchant = next(r["merchant"]["code"] for r in asked(busy, product)["data"] if r["merchant"])
    answer = asked(busy, product, Wanted(merchant=merchant, limit=500, with_totals=True))
    assert {review["merchant"]["code"] for review in answer["data"]} == {merchant}
    assert groups(answer)["ALL"] < groups(asked(busy, product))["ALL"]


def test_nobody_real_is_named(busy: World) -> None:
    for product in list(busy.cards)[:20]:
        authors = [review["author"] for review in asked(busy, product)["data"]]
        assert all(author.startswith("Автор ") for author in authors)
