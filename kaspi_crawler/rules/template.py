"""An empty table to fill in, with examples that are not read."""

import io
from collections.abc import Iterable, Sequence
from typing import IO

from kaspi_crawler.rules.columns import RULES, Column
from kaspi_crawler.rules.frame import HOW
from kaspi_crawler.rules.records import Record
from kaspi_crawler.rules.writing import REMARK, WRITERS, write_yaml
from kaspi_crawler.said import Language, Said

_STORE_ROW = ("store", "name", "margin_bp", "strategy", "when_unbeatable", "windows", "owner")
#: The goods' name is the column's example.
_STORE_NAME = Said("Tea and kettles", "Чай и чайники")
_LISTING = (
    "store",
    "sku",
    "name",
    "product",
    "on",
    "cost",
    "floor",
    "ceiling",
    "step",
    "weight_kg",
)
_IN_A_CITY = ("store", "sku", "city", "floor")


def write_template(file: IO[bytes], form: str, language: Language) -> None:
    """A store's defaults, a listing, and the same listing in a city, each as an example."""
    if form == "yaml":
        file.write(_yaml(language))
    else:
        WRITERS[form](file, RULES.columns, _examples(language), language)


def _examples(language: Language) -> Iterable[Record]:
    for row in _rows(language):
        yield {**row, "store": f"{REMARK}{row['store']}"}


def _rows(language: Language) -> list[dict[str, str]]:
    store, *others = (_example(keys, language) for keys in (_STORE_ROW, _LISTING, _IN_A_CITY))
    return [{**store, "name": _STORE_NAME.in_(language)}, *others]


def _example(keys: Sequence[str], language: Language) -> dict[str, str]:
    return {key: RULES.by_key[key].example.in_(language) for key in keys}


def _yaml(language: Language) -> bytes:
    """Remarks alone: what each key means, and the examples."""
    examples = io.BytesIO()
    write_yaml(examples, RULES.columns, _rows(language), language)
    told = [
        *HOW.in_(language).splitlines(),
        *(_explained(column, language) for column in RULES.columns),
        *examples.getvalue().decode().splitlines(),
    ]
    return "".join(f"{REMARK}{line}\n" for line in told).encode()


def _explained(column: Column, language: Language) -> str:
    return f"{column.key}: {column.meaning.in_(language)}; {column.form.right.in_(language)}"
