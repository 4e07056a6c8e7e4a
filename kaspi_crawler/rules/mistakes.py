"""What is wrong in a table: where it stands, what stands there, and what would be right."""

import csv
from collections.abc import Iterable, Iterator
from typing import IO

import attrs

from kaspi_crawler.rules.raw import Raw, shown
from kaspi_crawler.said import Language, Said

#: No more of a value than this is shown.
_LONGEST = 60


@attrs.frozen
class Place:
    """Where something stands: a sheet, a row, a column; as much of it as is known.

    `column` counts from 0, None in a file without columns; `titles` are the column's names.
    """

    sheet: str | None = None
    row: int | None = None
    column: int | None = None
    titles: Said | None = None

    def in_(self, language: Language) -> str:
        """The place as people find it."""
        russian = language is Language.RUSSIAN
        parts = []
        if self.sheet is not None:
            parts.append(f"лист «{self.sheet}»" if russian else f'sheet "{self.sheet}"')
        if self.row is not None:
            parts.append(f"{'строка' if russian else 'row'} {self.row}")
        if self.column is not None:
            parts.append(f"{'столбец' if russian else 'column'} {letter(self.column)}")
        where = ", ".join(parts)
        if self.titles is None:
            return where
        title = f"«{self.titles.ru}»" if russian else f"({self.titles.en})"
        return f"{where} {title}"


@attrs.frozen(kw_only=True)
class Mistake:
    """One mistake, or with `warns` something that is allowed and seldom meant.

    `value` is what stands there; a word that we write ourselves has its language.
    """

    place: Place
    value: Raw | Said | None = None
    what: Said
    warns: bool = False

    def in_(self, language: Language) -> str:
        """The mistake in one line."""
        value = "" if self.value is None else f"{quoted(_told(self.value, language), language)} "
        where = self.place.in_(language)
        return f"{where}{': ' * bool(where)}{value}{self.what.in_(language)}"


def _told(value: Raw | Said, language: Language) -> Raw:
    return value.in_(language) if isinstance(value, Said) else value


def letter(column: int) -> str:
    """A column as spreadsheets call it: 0 is A, 26 is AA."""
    name = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def quoted(value: Raw, language: Language) -> str:
    """A value between quotation marks, shortened, in one line."""
    words = " ".join(shown(value).split())
    # A terminal obeys some signs.
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in words)
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"«{cut}»" if language is Language.RUSSIAN else f'"{cut}"'


def wanted(why: Said, right: Said) -> Said:
    """What is the matter, and what would be right."""
    return Said(f"{why.en}; right: {right.en}", f"{why.ru}; нужно: {right.ru}")


#: What separates cells, so that the spreadsheets of a country open a file by a click.
SEPARATORS = {Language.ENGLISH: ",", Language.RUSSIAN: ";"}
_HEADER = Said(
    "kind,sheet,row,column,title,value,what",
    "вид,лист,строка,столбец,название,значение,что не так",
)


def write_table(file: IO[str], mistakes: Iterable[Mistake], language: Language) -> None:
    """The mistakes as CSV, one a line."""
    lines = csv.writer(file, delimiter=SEPARATORS[language])
    lines.writerow(_HEADER.in_(language).split(","))
    lines.writerows(_cells(mistake, language) for mistake in mistakes)


def _cells(mistake: Mistake, language: Language) -> Iterator[object]:
    place = mistake.place
    kind = Said("warning", "замечание") if mistake.warns else Said("mistake", "ошибка")
    yield kind.in_(language)
    yield None if place.sheet is None else safe(place.sheet)
    yield place.row
    yield None if place.column is None else letter(place.column)
    yield place.titles and place.titles.in_(language)
    yield None if mistake.value is None else safe(shown(_told(mistake.value, language)))
    yield mistake.what.in_(language)


#: How texts begin that spreadsheets would run as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(text: str) -> str:
    """A text that no spreadsheet runs: with an apostrophe before it where one is needed."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unsafe(text: str) -> str:
    """What `safe` made safe, as it was."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text
