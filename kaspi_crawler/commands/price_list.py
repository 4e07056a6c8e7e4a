"""`scrapy price_list`: the workbook that is uploaded in the cabinet by hand, read and written."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from scrapy.settings import Settings

from domain.feed_succession import OwnOffer
from domain.price_feed import FeedOffer
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.feed.told import keep, store_named, tell
from kaspi_crawler.verbs import VerbCommand, database_of

VERBS = {
    "read": "show the offers of a workbook, one JSON a line, or with --store write them down",
    "write": "write a store's listings into a workbook",
}
_SHOWN = 50


class Command(VerbCommand):
    """Columns: SKU, model, brand, price, PP1 … PP5, preorder; mistakes are named by their cells."""

    verbs = VERBS
    about = "The Excel price list: read, write"
    follows = "FILE.xlsx, and of write the store"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--store", metavar="ID", help="of read: take over points and prices of its listings"
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        if verb == "read":
            return _read(words, opts.store, settings)
        return _write(words, settings)


def _read(words: Sequence[str], store: str | None, settings: Settings) -> int:
    """Exit code 1: there are mistakes, and nothing was written down."""
    from partners.kaspi import price_list  # noqa: PLC0415

    if len(words) != 1:
        raise BadArgument("read: name one file. A right one: scrapy price_list read price.xlsx")
    wanted = None if store is None else store_named("read", store)
    offers: list[FeedOffer] = []
    mistakes: list[price_list.Mistake] = []
    try:
        with Path(words[0]).open("rb") as file:
            for row in price_list.read(file):
                if isinstance(row, FeedOffer):
                    offers.append(row)
                else:
                    mistakes.append(row)
    except price_list.NotAPriceList as error:
        raise BadArgument(f"read: {words[0]}: {error}") from None
    for mistake in mistakes[:_SHOWN]:
        sys.stderr.write(f"{words[0]}: {mistake}\n")
    if len(mistakes) > _SHOWN:
        sys.stderr.write(f"… and {len(mistakes) - _SHOWN:,} more\n")
    if wanted is None:
        tell(offers)
    elif not mistakes:
        keep(database_of(settings), wanted, offers)
    return int(bool(mistakes))


def _write(words: Sequence[str], settings: Settings) -> int:
    """Exit code 1: there are offers that the price list cannot say."""
    from partners.kaspi import price_list  # noqa: PLC0415
    from storage.feeds import NoSuchStore, store_feed  # noqa: PLC0415
    from storage.files import whole_file  # noqa: PLC0415

    if len(words) != 2:
        raise BadArgument(
            "write: name a file and a store. A right one: scrapy price_list write p.xlsx 30000001"
        )
    path, store = Path(words[0]), store_named("write", words[1])
    faults: list[tuple[str, str]] = []
    alone: list[str] = []
    try:
        with store_feed(database_of(settings), store) as feed, whole_file(path) as file:
            standing = _standing(feed.offers(), faults, alone)
            rows, unwritable = price_list.write(cast("BinaryIO", file), standing)
    except NoSuchStore as error:
        raise BadArgument(f"write: {error}") from None
    faults += [(each.sku, each.reason) for each in unwritable]
    for sku, reason in faults[:_SHOWN]:
        sys.stderr.write(f"{sku}: left out: {reason}\n")
    sys.stdout.write(f"{path}: {rows:,} rows, {len(faults):,} listings left out\n")
    if alone:
        sys.stdout.write(
            f"{len(alone):,} of them have the price of one city, the only one that is known, and "
            "in a workbook a price holds in all cities: upload it if you sell them in one city\n"
        )
    return int(bool(faults))


def _standing(
    listings: Iterable[OwnOffer], faults: list[tuple[str, str]], alone: list[str]
) -> Iterator[FeedOffer]:
    """The listings that may stand in a price list; what is archived is withdrawn."""
    for own in listings:
        if own.fault:
            faults.append((own.offer.sku, own.fault))
        else:
            alone += [own.offer.sku] * own.alone
            yield own.offer.withdrawn() if own.removed else own.offer
