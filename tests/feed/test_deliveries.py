"""Which version of a feed brought a price, and when somebody took it."""

from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest

from domain.identity import CityId
from domain.money import Tenge
from domain.price_feed import CityPrice
from kaspi_crawler.feed.deliveries import Deliveries
from kaspi_crawler.feed.pulls import Pull, PullLog
from kaspi_crawler.feed.versions import Shelf
from tests.feed.building import NOON, STORE, listing, writer

#: What stands in each version: the prices of two articles, None: the first is left out.
Prices = tuple[int | None, int]
BEGINNING: Prices = (1_000, 1_000)


def minutes(number: int) -> datetime:
    """Version n is written n minutes after noon."""
    return NOON + timedelta(minutes=number)


@pytest.mark.parametrize(
    ("then", "pulled", "taken"),
    [
        pytest.param([(900, 1_000)], {}, None, id="nobody has taken it"),
        pytest.param([(900, 1_000)], {1: 5}, None, id="only the version before was taken"),
        pytest.param([(900, 1_000)], {2: 5}, 5, id="its own version was taken"),
        pytest.param([(900, 1_000), (900, 800)], {3: 5}, 5, id="a later version brought it"),
        pytest.param(
            [(900, 1_000), (900, 800), (900, 700)], {4: 6, 3: 5}, 5, id="the first of several pulls"
        ),
        pytest.param([(900, 1_000), (900, 800)], {2: 4, 3: 5}, 4, id="its own before a later one"),
        pytest.param([(900, 1_000), (950, 800)], {3: 5}, None, id="a later one says another price"),
        pytest.param(
            [(900, 1_000), (950, 800), (950, 700)], {4: 5}, None, id="so does the one after it"
        ),
        pytest.param(
            [(900, 1_000), (None, 1_000), (None, 800)], {4: 5}, None, id="a later one leaves it out"
        ),
    ],
)
def test_a_price_is_taken_with_any_version_that_says_it(
    tmp_path: Path, then: list[Prices], pulled: dict[int, int], taken: int | None
) -> None:
    for number, (first, second) in enumerate([BEGINNING, *then], start=1):
        articles = [] if first is None else [listing(1, first)]
        each = writer(tmp_path, omit=True, shrink=True)
        attrs.evolve(each, made_at=minutes(number)).write([*articles, listing(2, second)])
    for version, minute in sorted(pulled.items(), key=lambda pull: pull[1]):
        take(tmp_path, version, minute)
    found = brought(tmp_path, 900)
    assert found == (2, None if taken is None else minutes(taken))


def test_another_citys_price_leaves_this_one_as_it_was(tmp_path: Path) -> None:
    for number, there in enumerate((900, 800), start=1):
        prices = (CityPrice(CityId("1"), Tenge(900)), CityPrice(CityId("2"), Tenge(there)))
        own = listing(1)
        changed = attrs.evolve(own.offer, price=None, city_prices=prices)
        each = attrs.evolve(writer(tmp_path), made_at=minutes(number))
        each.write([attrs.evolve(own, offer=changed)])
    take(tmp_path, 2, 5)
    assert brought(tmp_path, 900) == (1, minutes(5))
    assert brought(tmp_path, 900, "2") == (1, None)


def brought(directory: Path, price: int, city: str = "1") -> tuple[int, datetime | None]:
    """The version that gave article 000001 the price, and when that was taken."""
    found = Deliveries(Shelf(directory, STORE)).of(
        "000001", CityId(city), Tenge(price), since=NOON, until=minutes(60)
    )
    assert found
    return found.version, None if found.taken is None else found.taken.at


def take(directory: Path, version: int, minute: int) -> None:
    [kept] = [one for one in Shelf(directory, STORE).versions() if one.number == version]
    PullLog(directory).write(
        Pull(
            at=minutes(minute),
            store=STORE,
            source="198.51.100.7",
            agent="",
            status=200,
            etag=kept.sha256[:32],
            size=kept.size,
            whole=True,
        )
    )
