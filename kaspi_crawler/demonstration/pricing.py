"""One of the sandbox's sellers is us: rules for his goods, and what is decided by them."""

import csv
from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from domain.identity import CityId, MerchantId
from kaspi_crawler.said import Language
from kaspi_crawler.stories import Teller
from storage.demonstration import Article
from storage.stories import Latest, latest

#: Of each article's lowest price: what it cost us, and between what it may be sold, in percent.
_COST, _FLOOR, _CEILING = 70, 88, 125
#: How many decisions are shown, each for another reason.
_SHOWN = 3
_COLUMNS = ("store", "sku", "product", "cost", "floor", "ceiling")


def write_rules(path: Path, goods: Sequence[Article]) -> None:
    """A table of rules as a seller writes it: the store's defaults, then a row an article."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([*_COLUMNS, "weight_kg", "strategy", "name"])
        table.writerow([goods[0].merchant, *[""] * 5, 1, "undercut", goods[0].seller])
        for article in goods:
            limits = (article.price * share // 100 for share in (_COST, _FLOOR, _CEILING))
            table.writerow([article.merchant, article.sku, article.product, *limits])


def sentences(
    address: str, store: MerchantId, among: Container[tuple[str, CityId]] | None = None
) -> Iterator[tuple[str, str, str]]:
    """An article, and what was decided on it in English and Russian; each for another reason.

    `among`: only these articles, each in its city; None: all.
    """
    shown: dict[str, Latest] = {}
    for one in latest(address, store, datetime.now(UTC)):
        if among is None or (one.sku, one.city) in among:
            shown.setdefault(one.decided.decision.reason, one)
    for one in sorted(shown.values(), key=_what_moves_first)[:_SHOWN]:
        yield (
            one.sku,
            Teller(language=Language.ENGLISH).of(one),
            Teller(language=Language.RUSSIAN).of(one),
        )


def _what_moves_first(one: Latest) -> int:
    return ("set", "review", "hold", "off").index(one.decided.decision.action)
