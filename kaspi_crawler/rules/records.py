"""What is kept, as rows of a table: each cell as a person would write it."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from domain.identity import MerchantId
from domain.pricing import WHOLE
from domain.shop import RuleLine, Store
from kaspi_crawler.rules.cells import PERCENT
from kaspi_crawler.rules.columns import RULES, Column
from kaspi_crawler.rules.raw import Percent
from kaspi_crawler.rules.windows import written
from kaspi_crawler.rules.words import WORDS, yes_or_no
from kaspi_crawler.said import Language

#: A cell that is to be written, None for an empty one.
Cell = str | int | Decimal | Percent | None
#: A row that is to be written, by columns' keys.
Record = Mapping[str, Cell]

_NONE = "-"


def records(
    lines: Iterable[RuleLine],
    stores: Iterable[Store],
    names: Mapping[tuple[MerchantId, str], str],
    language: Language,
) -> Iterator[Record]:
    """Rows of all lines; what is said of a store stands in its own row, which comes first."""
    told = {store.id: _of_store(store) for store in stores}
    for line in lines:
        is_store = not line.sku and line.city is None
        if line.store in told and not is_store:
            yield from _alone(told.pop(line.store))
        about = (
            told.pop(line.store, {}) if is_store else {"name": names.get((line.store, line.sku))}
        )
        yield {**record(line, language), **about}
    for left in told.values():
        yield from _alone(left)


def _alone(store: Record) -> Iterator[Record]:
    """The row of a store without defaults, if there is anything to say."""
    if len(store) > 1:
        yield store


def _of_store(store: Store) -> dict[str, Cell]:
    about = {
        "store": str(store.id),
        "name": store.name,
        "owner": store.owner,
        "sisters": ", ".join(sorted(store.sisters or ())),
    }
    return {key: value for key, value in about.items() if value}


def record(line: RuleLine, language: Language) -> dict[str, Cell]:
    """One line of rules as cells."""
    named: dict[str, Cell] = {
        "store": str(line.store),
        "sku": line.sku or None,
        "city": line.city,
        "product": line.kaspi_id,
    }
    said = {
        key: cell(RULES.by_key[key], value, language)
        for key, value in line.said.items()
        if key in RULES.by_key
    }
    return {**named, **said}


def cell(column: Column, value: Any, language: Language) -> Cell:
    """A value as the cell says it that would be read as this value."""
    if value is None or value == []:
        return _NONE
    if column.key in WORDS:
        return WORDS[column.key].name(str(value).lower(), language)
    if isinstance(value, bool):
        return yes_or_no(on=value, language=language)
    if column.key == "windows":
        return written(value, language)
    if column.form.looks == PERCENT:
        return Percent(Decimal(value) / WHOLE)
    plain = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return plain if isinstance(plain, int | Decimal) else str(plain)
