"""`scrapy listings`: which articles of ours are sold under which product cards."""

import argparse
import sys
from collections.abc import Sequence

from scrapy.settings import Settings

from domain.identity import ALMATY_CITY
from domain.shop import OwnListing
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.rules.options import add_table_options, language, store_of, tell, the_file
from kaspi_crawler.said import Said
from kaspi_crawler.verbs import VerbCommand, database_of

VERBS = {
    "import": "take them from a table, all or none: store, sku, product, name, price, stock, …",
    "list": "show them: store, sku, product, price, stock, stocked on, name, separated by tabs",
}


class Command(VerbCommand):
    """Their products go on the work list, so that crawls read their boards."""

    verbs = VERBS
    about = "Our listings: import, list"
    follows = "file of import: .xlsx, .csv or .yaml"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_table_options(parser)
        parser.add_argument(
            "--cities", metavar="LIST", help="where their boards are read; default: 750000000"
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        return (_list if verb == "list" else _import)(words, opts, settings)


def _import(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.rules.listings import look  # noqa: PLC0415
    from kaspi_crawler.rules.report import left_out, listed, refusal  # noqa: PLC0415

    cities = (ALMATY_CITY,) if opts.cities is None else arguments.cities(opts.cities)
    path, speech = the_file("import", words), language(opts)
    looked, found = look(path, store_of(opts))
    tell(path, looked, opts)
    if looked.spoilt or not (looked.right or opts.partial):
        sys.stdout.write(f"{refusal(looked, speech)}\n")
        return 1
    from storage import listings  # noqa: PLC0415

    done = listings.put(database_of(settings), found, path.name, watched_in=cities)
    if looked.left_out:
        sys.stdout.write(f"{left_out(looked, speech)}\n")
    told = listed(done.added, done.changed, len(found), done.rules, speech)
    sys.stdout.write(f"{told}\n")
    return 0 if looked.right else 1


def _list(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    if words:
        raise BadArgument(
            Said(
                f"list takes no {words[0]!r}: pipe it into grep, or see --store",
                f"list не принимает {words[0]!r}: передайте вывод в grep или укажите --store",
            )
        )
    from storage import listings  # noqa: PLC0415

    count = 0
    for listing in listings.ours(database_of(settings), store_of(opts)):
        sys.stdout.write("\t".join(_cells(listing)) + "\n")
        count += 1
    sys.stdout.flush()
    if not count:
        told = Said(
            "None is known yet: `scrapy listings import FILE`",
            "Пока ни одного: `scrapy listings import ФАЙЛ`",
        )
        sys.stderr.write(f"{told.in_(language(opts))}\n")
    return 0


def _cells(listing: OwnListing) -> list[str]:
    told = (
        listing.store, listing.sku, listing.kaspi_id, listing.price, listing.stock,
        listing.stocked_on, listing.name,
    )  # fmt: skip
    return ["" if value is None else str(value) for value in told]
