"""Fields are counted on a part of the readings, boards on all of them."""

import attrs
import msgspec
import pytest

from kaspi_crawler.health.coverage import ALL_OF_THE_FIRST, ONE_OF, Coverage
from tests.building import board, offer


def counted(*readings: object) -> Coverage:
    coverage = Coverage()
    for reading in readings:
        coverage.add(reading)
    return coverage


@pytest.mark.parametrize(
    ("offers", "field", "share"),
    [
        pytest.param(
            [{}, {"price_minus_bonus": 5}], "price_minus_bonus", 5_000, id="None is absent"
        ),
        pytest.param([{"preorder_days": 0}], "preorder_days", 10_000, id="zero is there"),
        pytest.param([{"kaspi_delivery": False}], "kaspi_delivery", 10_000, id="no is there"),
        pytest.param([{"seller": ""}, {}, {}], "seller", 6_666, id="an empty text is absent"),
        pytest.param([{"delivery_points": ()}], "delivery_points", 0, id="an empty list is absent"),
    ],
)
def test_a_share_is_of_the_offers_that_have_the_field(
    offers: list[dict[str, object]], field: str, share: int
) -> None:
    plain = {"price_minus_bonus": None}
    made = [msgspec.structs.replace(offer(), **{**plain, **one}) for one in offers]
    reading = attrs.evolve(board(), offers=tuple(made))
    assert counted(reading).shares[f"offer/{field}"] == share


def test_all_boards_are_counted_and_some_looked_at() -> None:
    whole = board(offer())
    part = attrs.evolve(whole, complete=False)
    coverage = counted(*[whole, part] * ALL_OF_THE_FIRST)
    assert (coverage.boards, coverage.incomplete) == (2 * ALL_OF_THE_FIRST, ALL_OF_THE_FIRST)
    looked_at = ALL_OF_THE_FIRST + ALL_OF_THE_FIRST // ONE_OF
    assert coverage.seen["offer"] == looked_at * len(whole.offers)


def test_other_readings_are_no_boards() -> None:
    assert counted(object(), None).shares == {}
