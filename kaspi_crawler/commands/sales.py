"""`scrapy sales`: how much is sold of each product, as its reviews let one guess."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.settings import Settings

from domain.identity import MerchantId, ProductId
from domain.sales import (
    ASSUMED,
    FEWEST_PAIRS,
    NotCalibrated,
    Observed,
    ReviewRate,
    calibrate,
    estimate,
)
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.csv_lines import csv_lines
from kaspi_crawler.verbs import VerbCommand, database_of
from partners.kaspi.storefront import product_id
from partners.kaspi.storefront_listing import NotAListing, merchant_id

if TYPE_CHECKING:
    # At run time storage is imported when it is needed, so that mistakes are told at once.
    from storage.sales import Reviewed

VERBS = {
    "estimate": "product, fewest and most pieces sold, texts, basis and name, separated by tabs",
    "calibrate": "learn from a CSV file of product,pieces sold in the last --days days",
    "shares": "which share of the buyers each place gets, from a CSV file of --merchant's own "
    "orders: product,city,moment",
}
_RIGHT = "A right one: scrapy sales calibrate sold.csv --days 90 --merchant 11271005"
_RIGHT_SHARES = "A right one: scrapy sales shares orders.csv --merchant 11271005"
_MOST_DAYS = 3_650


class Command(VerbCommand):
    """Reads the texts of reviews that `scrapy crawl reviews -a texts=yes` has kept."""

    verbs = VERBS
    about = "Estimate sales from reviews; learn from own sales and orders"
    follows = "file of calibrate or shares"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--days",
            metavar="N",
            help="of estimate and calibrate: days before the last reading of the reviews; "
            "default: 30",
        )
        parser.add_argument(
            "--products", metavar="LIST", help="of estimate: ids or addresses, or @file"
        )
        parser.add_argument(
            "--merchant", metavar="ID", help="of calibrate and shares: the file tells his sales"
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        run = {"estimate": _estimate, "calibrate": _calibrate, "shares": _shares}[verb]
        return run(words, opts, settings)


def _days(text: str | None) -> int:
    wanted = "30" if text is None else text.strip()
    if not (wanted.isascii() and wanted.isdecimal() and 0 < int(wanted) <= _MOST_DAYS):
        raise BadArgument(f"days: {text!r} is no number of days. A right one: --days 30")
    return int(wanted)


def _estimate(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    """One line a product, the most reviewed first."""
    if words or opts.merchant is not None:
        raise BadArgument(
            "estimate takes --days and --products. A right one: scrapy sales estimate --days 30"
        )
    days = _days(opts.days)
    products = None if opts.products is None else arguments.product_ids(opts.products)
    from storage import sales  # noqa: PLC0415

    address = database_of(settings)
    rates = sales.review_rates(address)
    count = 0
    for product in sales.reviewed(address, days, products):
        rate = _rate(rates, product.category)
        sold = estimate(product.observed, rate)
        name = product.name or ""
        sys.stdout.write(
            f"{product.kaspi_id}\t{sold.low}\t{sold.high}\t{product.texts}\t{rate.source}\t{name}\n"
        )
        count += 1
    sys.stdout.flush()
    if not count:
        sys.stderr.write(
            "No product's reviews were read whole yet: `scrapy crawl reviews -a texts=yes`\n"
        )
    return 0


def _rate(rates: Mapping[str, ReviewRate], category: str | None) -> ReviewRate:
    """The share of raters in a category: its own, that of all, or the assumed one."""
    from storage.sales import EVERYWHERE  # noqa: PLC0415

    return rates.get(category or EVERYWHERE) or rates.get(EVERYWHERE) or ASSUMED


def _calibrate(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    """The share of raters over all products, and of each category that has enough of them."""
    if len(words) != 1 or opts.products is not None:
        raise BadArgument(f"calibrate: name one file of product,pieces. {_RIGHT}")
    days, sold = _days(opts.days), _sold(Path(words[0]))
    merchant = _merchant(opts.merchant)
    from storage import sales  # noqa: PLC0415

    address = database_of(settings)
    known = list(sales.reviewed(address, days, list(sold), merchant))
    _tell_of_unread(sold, known)
    source = f"{Path(words[0]).name}, {days} days"
    groups: dict[str, list[Reviewed]] = {sales.EVERYWHERE: known}
    for product in known:
        if product.category:
            groups.setdefault(product.category, []).append(product)
    for category, products in groups.items():
        if category == sales.EVERYWHERE or len(products) >= FEWEST_PAIRS:
            pairs = [(sold[product.kaspi_id], product.observed) for product in products]
            _keep(address, category, pairs, source)
    return 0


def _keep(address: str, category: str, pairs: Sequence[tuple[int, Observed]], source: str) -> None:
    from storage import sales  # noqa: PLC0415

    try:
        rate = calibrate(pairs, source)
    except NotCalibrated as error:
        if category == sales.EVERYWHERE:
            raise BadArgument(f"calibrate: {error}. {_RIGHT}") from None
        return  # the share of all categories stands for it
    sales.keep_rate(address, category, rate, len(pairs))
    named = "all categories" if category == sales.EVERYWHERE else category
    sys.stdout.write(
        f"{named}: {rate.low / 100:.2f} to {rate.high / 100:.2f} % of buyers rate "
        f"({len(pairs)} products)\n"
    )


def _tell_of_unread(sold: Mapping[ProductId, int], known: Sequence["Reviewed"]) -> None:
    unread = set(sold) - {product.kaspi_id for product in known}
    if unread:
        sys.stderr.write(
            f"{len(unread)} products are passed over: their reviews were not read whole yet "
            "(`scrapy crawl reviews -a texts=yes`)\n"
        )


def _shares(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    """A line a place, and the words for a rule. Exit code 1: nothing was learned."""
    merchant = _merchant(opts.merchant)
    if len(words) != 1 or merchant is None or opts.products is not None or opts.days is not None:
        raise BadArgument(f"shares: name one file of orders, and whose they are. {_RIGHT_SHARES}")
    from kaspi_crawler.replays.own_orders import own_orders  # noqa: PLC0415
    from kaspi_crawler.replays.shares import learned_shares  # noqa: PLC0415
    from storage.past import boards_of, remembered  # noqa: PLC0415

    orders = own_orders(Path(words[0]), "shares")

    with remembered(database_of(settings)) as connection:
        learned = learned_shares(connection, boards_of(connection, merchant), merchant, orders)
    if learned.is_something:
        sys.stdout.write(learned.said)
    sys.stderr.write(learned.remarks)
    return 0 if learned.is_something else 1


def _merchant(text: str | None) -> MerchantId | None:
    try:
        return None if text is None else merchant_id(text)
    except NotAListing as error:
        raise BadArgument(f"merchant: {error}") from None


def _sold(path: Path) -> dict[ProductId, int]:
    """Pieces by product. Raises BadArgument for a line that says something else, OSError."""
    sold: dict[ProductId, int] = {}
    for number, told in csv_lines(path, "calibrate"):
        try:
            product, pieces = told[:2]
            sold[product_id(product)] = int(pieces)
        except ValueError:
            raise BadArgument(
                f"calibrate: {path}, line {number}: {','.join(told)!r} is not product,pieces. "
                "A right one: 102298404,35"
            ) from None
    return sold
