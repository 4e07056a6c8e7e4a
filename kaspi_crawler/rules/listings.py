"""A table of listings: each row an article of ours."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from domain.identity import MerchantId, ProductId
from domain.shop import OwnListing
from kaspi_crawler.rules.columns import LISTINGS
from kaspi_crawler.rules.looked import Looked
from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.rules.tables import Known, Line, Reading, read_cells, read_lines
from kaspi_crawler.said import Language, Said

_MISSING = Said("is empty", "— пусто")


def look(path: Path, store: MerchantId | None) -> tuple[Looked, list[OwnListing]]:
    """The listings of a file whose rows are right; `store` is meant where a row names none.

    Raises BadArgument, OSError.
    """
    reading, rows = Reading(), 0
    known: Known = defaultdict(dict)
    listings: dict[tuple[str, str], OwnListing] = {}
    first: dict[tuple[str, str], Line] = {}
    layout = LISTINGS if store is None else attrs.evolve(LISTINGS, needed=("sku", "product"))
    for line in read_lines(path, layout, reading):
        rows += 1
        mistakes: list[Mistake] = []
        values = read_cells(line, layout, known, mistakes)
        if store is not None and "store" not in line.cells:
            values["store"] = store
        mistakes += _missing(line, values)
        if not mistakes:
            listing = _listing(values)
            name = (listing.store, listing.sku)
            if first.setdefault(name, line) is line:
                listings[name] = listing
            else:
                # Nobody knows which of both is meant.
                listings.pop(name, None)
                mistakes.append(_twice(line, first[name]))
        reading.mistakes += mistakes
    return Looked.of(reading, rows, len(listings)), list(listings.values())


def _missing(line: Line, values: Mapping[str, Any]) -> list[Mistake]:
    return [
        line.mistake(LISTINGS.by_key[key], _MISSING)
        for key in LISTINGS.needed
        if key not in values and key not in line.cells
    ]


def _listing(values: Mapping[str, Any]) -> OwnListing:
    return OwnListing(
        store=MerchantId(values["store"]),
        sku=values["sku"],
        kaspi_id=ProductId(values["product"]),
        name=values.get("name"),
        price=values.get("price"),
        stock=values.get("stock"),
        stocked_on=values.get("stocked_on"),
    )


def _twice(line: Line, before: Line) -> Mistake:
    english = before.place().in_(Language.ENGLISH)
    russian = before.place().in_(Language.RUSSIAN)
    what = Said(
        f"stands in {english} already: leave one of both",
        f"уже есть ({russian}): оставьте одну строку",
    )
    return line.mistake(LISTINGS.by_key["sku"], what)
