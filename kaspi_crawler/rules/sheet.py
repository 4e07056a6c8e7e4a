"""A sheet of a table: a stream of rows that say something."""

from collections.abc import Iterator, Mapping

import attrs

from kaspi_crawler.rules.raw import Raw
from kaspi_crawler.said import Said

#: A row that says something: its number, and its cells by column.
Row = tuple[int, Mapping[int, Raw]]


class Unreadable(ValueError):
    """A file that is no table; `why` says what it is, and the remedy."""

    def __init__(self, why: Said) -> None:
        super().__init__(why.en)
        self.why = why


@attrs.frozen
class Merged:
    """Merged cells: from row to row, from column to column."""

    top: int
    left: int
    bottom: int
    right: int
    name: str


@attrs.define
class Sheet:
    """A sheet, read once from top to bottom; `merged` and `notes` are known at the end.

    Rows have no columns in a file that names each value: then `lettered` is false, and `named_at`
    has the row in which each name stands first.
    """

    name: str | None
    rows: Iterator[Row]
    lettered: bool = True
    named_at: Mapping[int, int] = attrs.field(factory=dict)
    merged: list[Merged] = attrs.field(factory=list)
    notes: list[Said] = attrs.field(factory=list)
