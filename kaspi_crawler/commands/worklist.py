"""`scrapy worklist`: which boards are read when a crawl is given no products."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from scrapy.settings import Settings

from domain.identity import ALMATY_CITY, CityId, ProductId
from domain.moments import ALMATY
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.csv_lines import csv_lines
from kaspi_crawler.verbs import VerbCommand, database_of
from partners.kaspi.storefront import city_id, product_id

if TYPE_CHECKING:
    # At run time storage is imported when it is needed, so that mistakes are told at once.
    from storage.work_list import Listed

Board = tuple[ProductId, CityId]

VERBS = {
    "add": "put products on it: ids or addresses, or @file; with --cities",
    "remove": "take products off it, in all cities or in those of --cities",
    "list": "show it: product, city, last reading, name, separated by tabs",
    "import": "put the lines of a CSV or text file on it: product[,city]",
}
_RIGHT = "A right one: scrapy worklist add 102298404 --cities almaty,astana"


class Command(VerbCommand):
    """One verb for each thing that people do with a list."""

    verbs = VERBS
    about = "The work list: add, remove, list, import"
    follows = "products, or the file of import"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--cities", metavar="LIST", help="ids or names; default: 750000000, of remove: all"
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        cities = None if opts.cities is None else arguments.cities(opts.cities)
        return _do(verb, words, cities, settings)


def _do(
    verb: str, words: Sequence[str], cities: tuple[CityId, ...] | None, settings: Settings
) -> int:
    from storage import work_list  # noqa: PLC0415

    if verb == "list":
        _nothing_more(words)
        return _show(work_list.listed(database_of(settings), cities))
    if verb == "import":
        read = _read_file(words, cities or (ALMATY_CITY,))
        added = work_list.add(database_of(settings), read.boards)
        return _report(added, len(read.boards), read.complaints)
    products = _products(words)
    if verb == "remove":
        count = work_list.remove(database_of(settings), products, cities)
        return _say(f"{count:,} boards of {len(products):,} products were taken off the work list")
    boards = [(product, city) for product in products for city in cities or (ALMATY_CITY,)]
    return _report(work_list.add(database_of(settings), boards), len(boards), [])


def _products(words: Sequence[str]) -> tuple[ProductId, ...]:
    """Raises BadArgument."""
    if not words:
        raise BadArgument(f"products: say which. {_RIGHT}")
    return arguments.product_ids(" ".join(words))


def _nothing_more(words: Sequence[str]) -> None:
    if words:
        raise BadArgument(f"list takes no {words[0]!r}: pipe it into grep, or see --cities")


def _show(boards: Iterable["Listed"]) -> int:
    count = 0
    for board in boards:
        checked_at = board.checked_at and board.checked_at.astimezone(ALMATY)
        read = f"{checked_at:%Y-%m-%d %H:%M}" if checked_at else "never"
        name = "(gone)" if board.gone_at else board.name or ""
        sys.stdout.write(f"{board.kaspi_id}\t{board.city_id}\t{read}\t{name}\n")
        count += 1
    sys.stdout.flush()
    if not count:
        sys.stderr.write("Nothing is on it: `scrapy worklist add`, or `scrapy crawl listing`\n")
    return 0


def _report(added: int, wanted: int, complaints: Sequence[str]) -> int:
    known = wanted - added
    _say(f"{added:,} boards were put on the work list" + (f", {known:,} were on it" * bool(known)))
    for complaint in complaints:
        sys.stderr.write(f"{complaint}\n")
    return 1 if complaints else 0


def _say(sentence: str) -> int:
    sys.stdout.write(f"{sentence}\n")
    return 0


@attrs.frozen
class _Read:
    """What a file names: boards, each once, and a sentence for each line that names none."""

    boards: list[Board]
    complaints: list[str]


def _read_file(words: Sequence[str], cities: tuple[CityId, ...]) -> _Read:
    """The boards of a CSV file whose lines may name a city. Raises BadArgument, OSError."""
    if len(words) != 1:
        raise BadArgument("import: name one file. A right one: scrapy worklist import watched.csv")
    boards: dict[Board, None] = {}
    complaints: list[str] = []
    for number, cells in csv_lines(Path(words[0]), "import"):
        try:
            named = [city_id(cells[1])] if len(cells) > 1 and cells[1] else cities
            boards |= dict.fromkeys((product_id(cells[0]), city) for city in named)
        except ValueError as error:
            complaints.append(f"{words[0]}, line {number}: {error}")
    return _Read(list(boards), complaints)
