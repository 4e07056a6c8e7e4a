"""`scrapy why`: the story of a price, or what was decided on every price of a store."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from domain.identity import CityId, MerchantId
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.said import Language, Said
from kaspi_crawler.spoken_moments import EXPLAINED, spoken_moment
from kaspi_crawler.verbs import database_of

if TYPE_CHECKING:
    from kaspi_crawler.feed.deliveries import Delivery
    from kaspi_crawler.stories import ByFeed
    from storage.stories import Intended

_RIGHT = "scrapy why 30000001 KETTLE-1 --at 24h"
_ACTIONS = ("set", "hold", "review", "off")


class Command(ScrapyCommand):
    """Reads what is remembered; decides nothing anew."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] STORE [SKU]"

    def short_desc(self) -> str:
        return "Why a price is what it is: seen, decided, sent, accepted, applied; at any moment"

    def long_desc(self) -> str:
        return (
            "With an SKU the whole story of its price; without, a line for each price of the "
            "store: article, city, moment, action, sentence, separated by tabs"
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        ours = parser.add_argument_group("Why")
        ours.add_argument("--at", metavar="MOMENT", help=f"default: now; {EXPLAINED}")
        ours.add_argument("--city", metavar="CITY", help="id or name; default: all")
        ours.add_argument("--action", choices=_ACTIONS, help="only these, without an SKU")
        ours.add_argument("--language", choices=tuple(Language), default="en", help="default: en")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Tell it. Exit code 1: there is nothing to tell."""
        with in_a_sentence("why", opts.language):
            if not 1 <= len(args) <= 2:
                raise BadArgument(
                    Said(
                        f"name a store, and an article of it. A right one: {_RIGHT}",
                        f"назовите магазин и его артикул. Например: {_RIGHT}",
                    )
                )
            self.exitcode = _tell(args, opts, self.settings or Settings())


@attrs.frozen(kw_only=True)
class _Asked:
    """What somebody wants to know."""

    address: str
    store: MerchantId
    at: datetime
    city: CityId | None
    language: Language
    feeds: Path

    def by_feed(self, sku: str) -> "ByFeed":
        """Which version of the store's feed brought a price of an article to its city."""
        from kaspi_crawler.feed.deliveries import Deliveries  # noqa: PLC0415
        from kaspi_crawler.feed.versions import Shelf  # noqa: PLC0415

        deliveries = Deliveries(Shelf(self.feeds, self.store))

        def of(city: CityId, intended: "Intended") -> "Delivery | None":
            if intended.sent_at:
                return None
            until = intended.closed_at or self.at
            return deliveries.of(sku, city, intended.price, since=intended.made_at, until=until)

        return of


def _tell(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    now = datetime.now(UTC)
    at = now if opts.at is None else spoken_moment("at", opts.at, now)
    city = None if opts.city is None else arguments.cities(opts.city)[0]
    asked = _Asked(
        address=database_of(settings),
        store=MerchantId(words[0]),
        at=at,
        city=city,
        language=Language(opts.language),
        feeds=Path(settings["FEEDS_DIR"]),
    )
    return _one(asked, words[1]) if len(words) > 1 else _every(asked, opts.action)


def _one(asked: _Asked, sku: str) -> int:
    """The whole story of one price."""
    from kaspi_crawler.stories import Teller  # noqa: PLC0415  (mistakes are told before)
    from storage.stories import listings_of, sellers, story  # noqa: PLC0415

    found = listings_of(asked.address, asked.store, sku)
    if not found:
        why = Said(
            f"store {asked.store} has no article {sku!r}: see `scrapy listings list`",
            f"в магазине {asked.store} нет артикула {sku!r}: см. `scrapy listings list`",
        )
        return _nothing(why.in_(asked.language))
    names = sellers(asked.address, found[0].kaspi_id)
    teller = Teller(language=asked.language, names=names, feed=asked.by_feed(sku))
    _say(teller.beginning(found[0]))
    chapters = story(asked.address, found[0], asked.at, asked.city)
    for chapter in chapters:
        for line in teller.chapter(chapter):
            _say(line)
    if not chapters:
        crawl = f"scrapy crawl offers -a products={found[0].kaspi_id}"
        why = Said(f"its board was not read yet: {crawl}", f"его витрину ещё не читали: {crawl}")
        return _nothing(why.in_(asked.language))
    return 0


def _every(asked: _Asked, action: str | None) -> int:
    """A line for each price of the store."""
    from kaspi_crawler.stories import Teller  # noqa: PLC0415
    from storage.stories import latest  # noqa: PLC0415

    teller, count = Teller(language=asked.language), 0
    for one in latest(asked.address, asked.store, asked.at, asked.city, action):
        _say(teller.line(one))
        count += 1
    return 0 if count else _nothing(_no_decision(asked).in_(asked.language))


def _no_decision(asked: _Asked) -> Said:
    """Why there is none: a store that nobody knows, boards that were not read, or the options."""
    from storage.feeds import stores_with_listings  # noqa: PLC0415
    from storage.stories import latest  # noqa: PLC0415

    store = asked.store
    if store not in stores_with_listings(asked.address):
        return Said(
            f"store {store} has no articles here: see `scrapy listings list`",
            f"в магазине {store} нет артикулов: см. `scrapy listings list`",
        )
    if any(True for _ in latest(asked.address, store, datetime.now(UTC), None, None)):
        return Said(
            f"no such decision for store {store}: ask without --city, --at and --action",
            f"для магазина {store} таких решений нет: спросите без --city, --at и --action",
        )
    return Said(
        f"nothing was decided yet for store {store}: run `scrapy crawl offers`, which reads boards",
        f"для магазина {store} ещё нет решений: запустите `scrapy crawl offers`, он читает витрины",
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _nothing(why: str) -> int:
    sys.stderr.write(f"why: {why}\n")
    return 1
