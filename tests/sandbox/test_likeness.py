"""The sandbox beside recordings of the marketplace: the same keys, types and boundaries.

The recordings are not part of the project; without them there is nothing to compare with.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from domain.identity import ProductId
from sandbox import listing
from sandbox.listing import ListingDesk
from sandbox.offers import Asked, OffersDesk
from sandbox.pages import PagesDesk
from sandbox.reviews import ReviewsDesk, Wanted
from sandbox.world import STOCKED, World, world
from tests.sandbox.conftest import START
from tests.sandbox.reading import BOUNDARY, assigned, linked_data, shape

RECORDED = Path(__file__).parents[2] / "../shared/recorded/kaspi_storefront"
ALMATY = STOCKED[0]

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="no recordings of the marketplace beside the project"
)


@pytest.fixture(scope="module")
def market() -> World:
    return world(seed=7, products=120, start=START)


@pytest.fixture(scope="module")
def ours(market: World) -> list[str]:
    desk = PagesDesk(market)
    bodies = [desk.page(product, ALMATY) for product in market.cards]
    return [body.plain.decode() for body in bodies if body]


@cache
def recorded_pages() -> tuple[str, ...]:
    paths = sorted(RECORDED.glob("product_page_*"))
    return tuple(
        (gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes()).decode()
        for p in paths
    )


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


def types(values: list[Any]) -> dict[str, set[str]]:
    """For each path inside the values, the types seen there."""
    seen: dict[str, set[str]] = {}
    for value in values:
        _note(value, "", seen)
    return seen


def _note(value: Any, path: str, seen: dict[str, set[str]]) -> None:
    seen.setdefault(path, set()).add(type(value).__name__)
    if isinstance(value, dict):
        for key, inner in value.items():
            _note(inner, f"{path}.{key}", seen)
    if isinstance(value, list):
        for inner in value:
            _note(inner, f"{path}[]", seen)


def states(pages: tuple[str, ...] | list[str], name: str) -> list[Any]:
    return [assigned(page, name) for page in pages]


def test_there_are_pages_to_compare_with() -> None:
    assert len(recorded_pages()) > 10


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("BACKEND.components.item", id="the item"),
        pytest.param("window.digitalData", id="the site's analytics"),
        pytest.param("window.digitalData.product", id="the product's analytics"),
    ],
)
def test_the_state_has_the_keys_and_types_of_real_ones(ours: list[str], name: str) -> None:
    real, made = types(states(recorded_pages(), name)), types(states(ours, name))
    assert made.keys() == real.keys()
    for path, kinds in real.items():
        assert kinds <= made[path] | {"NoneType"}, path
        assert made[path] <= kinds | {"NoneType", "str", "int"}, path


def test_keys_stand_in_the_recorded_order(ours: list[str]) -> None:
    real = assigned(recorded_pages()[0], "BACKEND.components.item")
    made = assigned(ours[0], "BACKEND.components.item")
    assert list(made) == list(real)
    assert list(made["card"]) == list(real["card"])
    assert shape(made["galleryImages"][0]) == shape(real["galleryImages"][0])


def test_the_configurator_is_nested_like_real_ones(market: World, ours: list[str]) -> None:
    name = "BACKEND.components.configurator"
    colours = {
        card.id
        for card in market.cards.values()
        if card.family and card.family.shades[0].colour and card.kind.leaf.startswith("Men")
    }
    variants = [page for page, card in zip(ours, market.cards, strict=True) if card in colours]
    assert types(states(variants, name)) == types(states(recorded_pages(), name))


def test_as_many_boundaries_and_linked_data_as_on_real_pages(ours: list[str]) -> None:
    counts = {page.count(BOUNDARY) for page in recorded_pages()}
    assert {page.count(BOUNDARY) for page in ours} == counts
    assert {len(linked_data(page)) for page in ours} == {
        len(linked_data(page)) for page in recorded_pages()
    }


def test_pages_are_as_large_as_real_ones(ours: list[str]) -> None:
    sizes = [len(page.encode()) for page in recorded_pages()]
    for page in ours:
        assert 0.95 * min(sizes) < len(page.encode()) < 1.05 * max(sizes)


def test_the_products_linked_data_is_the_same(ours: list[str]) -> None:
    real = json.loads(linked_data(recorded_pages()[0])[1])
    made = json.loads(linked_data(ours[0])[1])
    assert shape(made) == shape(real)


def test_offers_carry_all_recorded_keys_with_their_types(market: World) -> None:
    real = recorded("offers_102298404_almaty_2026-09-18.json")
    desk = OffersDesk(market)
    answer = desk.answer(next(iter(market.cards)), Asked(ALMATY, 64, 0, True))
    made = json.loads(answer.plain)
    real_types, made_types = types([real]), types([made])
    assert real_types.items() <= made_types.items()
    later = {
        f".offers[].{key}"
        for key in ("merchantSegmentId", "priceMinusBonus", "priceBeforeDiscount", "discount")
    } | {".offers[].purchaseCount"}
    unknown = made_types.keys() - real_types.keys() - later
    assert {path for path in unknown if "deliveryOptions" not in path} == set()


def test_an_empty_board_is_the_recorded_one(market: World) -> None:
    answer = OffersDesk(market).answer(ProductId("1"), Asked(ALMATY, 64, 0, True))
    assert json.loads(answer.plain) == recorded("offers_empty.json")


def test_reviews_carry_the_recorded_keys_with_their_types(market: World) -> None:
    real = recorded("reviews_106185651_2025-06.json")
    desk = ReviewsDesk(market)
    wanted = Wanted(group="PICTURE", with_totals=True, limit=200)
    made = [json.loads(desk.answer(product, wanted).plain) for product in market.cards]
    made_types = types(made)
    assert made_types.keys() - types([real]).keys() == {
        ".data[].merchant.code",
        ".data[].merchant.name",
    }
    for path, kinds in types([real]).items():
        assert kinds <= made_types[path], path


def test_listed_cards_carry_the_recorded_keys_with_their_types(market: World) -> None:
    names = ("listing_cards_2025-01_part0.json", "listing_cards_2025-01_part1.json")
    real = types([card for name in names for card in recorded(name)["data"]])
    desk = ListingDesk(market, ReviewsDesk(market))
    asked = [listing.Asked((), "", ALMATY, page) for page in range(20)]
    made = types([card for one in asked for card in json.loads(desk.following(one).plain)["data"]])
    ours, theirs = (
        {path for path in known if path.count(".") == 1 and not path.endswith("[]")}
        for known in (made, real)
    )
    assert theirs - ours <= {".groups"}  # half of the real ones have none
    assert ours - theirs == {".configSku", ".teasers", ".weight"}
    for path in ours & theirs:
        assert made[path] <= real[path] | {"NoneType"}, path


def test_both_listing_answers_are_wrapped_as_recorded() -> None:
    real = recorded("listing_results_2025-06_two_cards.json")
    small = world(seed=7, products=12, start=START)
    desk = ListingDesk(small, ReviewsDesk(small))
    made = json.loads(desk.following(listing.Asked((), "", ALMATY, 0)).plain)
    assert list(made) == list(real)
