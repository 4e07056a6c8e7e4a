"""Which version of a feed brought a price to the marketplace: by the versions and the pull log."""

import csv
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from operator import attrgetter

import attrs

from domain.feed_succession import Aspect, prices_said
from domain.identity import CityId
from domain.money import Tenge
from kaspi_crawler.feed.pulls import Pull, PullLog, version_tag
from kaspi_crawler.feed.versions import Shelf
from storage.files import safe_cell

#: Changes that tell which prices of an article stand, or that none does.
_PRICED = {Aspect.ADDED, Aspect.PRICE, Aspect.REMOVED}

_at = attrgetter("at")


@attrs.frozen(kw_only=True)
class Delivery:
    """A version of a feed, and the first pull that brought it, or a price of it, to somebody.

    None: nobody has taken it.
    """

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
        """The version that gave an article this price in a city, and the first pull that took it.

        Every later version brings the price too, until one says another. None: no version of that
        time gave it.
        """
        versions = (one for one in reversed(self.until(until)) if one.written_at >= since)

        def still(version: Delivery) -> bool:
            return all(said == price for said in self._said(version.version, sku, city))

        for found in versions:
            if price in self._said(found.version, sku, city):
                bringing = (found, *takewhile(still, versions))
                pulls = (one.taken for one in bringing if one.taken)
                return attrs.evolve(found, taken=min(pulls, key=_at, default=None))
        return None

    def _said(self, version: int, sku: str, city: CityId) -> Iterator[Tenge | None]:
        """What a version's list of changes says of an article's price; None: it has none there."""
        for told in self._changes(version, sku):
            prices = prices_said(told)
            yield prices.get(city, prices.get(None))

    def _changes(self, version: int, sku: str) -> Iterator[str]:
        """What it says of the new prices, in words; nothing where the article was left out."""
        path = self.shelf.part(version, "csv")
        if not path.is_file():
            return
        with path.open(encoding="utf-8-sig", newline="") as file:
            for told, aspect, _, after in csv.reader(file):
                if told == safe_cell(sku) and aspect in _PRICED:
                    yield after

    def _taken(self, moment: datetime) -> dict[str, Pull]:
        """The first pull of each version that came whole, by the beginning of its hash."""
        found: dict[str, Pull] = {}
        for pull in PullLog(self.shelf.directory).read():
            if pull.took_it_whole and pull.store == self.shelf.store and pull.at <= moment:
                found.setdefault(version_tag(pull), pull)
        return found
