"""Which version of a feed brought a price to the marketplace: by the versions and the pull log."""

import csv
from collections.abc import Iterator
from datetime import datetime

import attrs

from domain.feed_succession import Aspect, prices_said
from domain.identity import CityId
from domain.money import Tenge
from kaspi_crawler.feed.pulls import Pull, PullLog, version_tag
from kaspi_crawler.feed.versions import Shelf
from storage.files import safe_cell


@attrs.frozen(kw_only=True)
class Delivery:
    """A version of a feed, and its first pull; None: nobody has taken it."""

    version: int
    written_at: datetime
    taken: Pull | None


@attrs.frozen
class Deliveries:
    """What became of the versions of a store's feed that are kept."""

    shelf: Shelf

    def until(self, moment: datetime) -> list[Delivery]:
        """The versions written by a moment, the newest first, as they had been taken by then."""
        taken = self._taken(moment)
        return [
            Delivery(
                version=version.number,
                written_at=version.made_at,
                taken=taken.get(version.sha256[:32]),
            )
            for version in self.shelf.versions()
            if version.made_at <= moment
        ]

    def of(
        self, sku: str, city: CityId, price: Tenge, *, since: datetime, until: datetime
    ) -> Delivery | None:
        """The version that gave an article this price in a city; None: no version of that time."""
        for delivery in reversed(self.until(until)):
            if delivery.written_at >= since and self._brought(delivery.version, sku, city, price):
                return delivery
        return None

    def _brought(self, version: int, sku: str, city: CityId, price: Tenge) -> bool:
        for told in self._prices(version, sku):
            prices = prices_said(told)
            if prices.get(city, prices.get(None)) == price:
                return True
        return False

    def _prices(self, version: int, sku: str) -> Iterator[str]:
        """What a version's list of changes says of an article's new prices."""
        path = self.shelf.part(version, "csv")
        if not path.is_file():
            return
        with path.open(encoding="utf-8-sig", newline="") as file:
            for told, aspect, _, after in csv.reader(file):
                if told == safe_cell(sku) and aspect in {Aspect.ADDED, Aspect.PRICE}:
                    yield after

    def _taken(self, moment: datetime) -> dict[str, Pull]:
        """The first pull of each version that came whole, by the beginning of its hash."""
        found: dict[str, Pull] = {}
        for pull in PullLog(self.shelf.directory).read():
            if pull.took_it_whole and pull.store == self.shelf.store and pull.at <= moment:
                found.setdefault(version_tag(pull), pull)
        return found
