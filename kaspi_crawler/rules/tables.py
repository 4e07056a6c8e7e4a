"""From sheets to named cells: which row is the header, and what each column is."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import attrs

from kaspi_crawler.rules.cells import NONE, Wrong
from kaspi_crawler.rules.columns import EXPLANATIONS, Column, Layout, plain_title
from kaspi_crawler.rules.mistakes import Mistake, Place, wanted
from kaspi_crawler.rules.raw import Broken, Raw, shown
from kaspi_crawler.rules.sheet import Merged, Row, Sheet, Unreadable
from kaspi_crawler.rules.sheets import opened
from kaspi_crawler.said import Said, same, spaced

#: A header is looked for among so many rows that say something.
_HEAD = 10
#: A row whose first cell begins so is a remark; alone it is one, too.
_REMARK = "# "

_UNKNOWN_COLUMN = Said("is no column of ours", "— нет такого столбца")
_TWICE = Said(
    "stands in the header twice: leave one of both columns",
    "стоит в заголовке дважды: оставьте один из столбцов",
)
_NO_NAME = Said(
    "stands under no header: name the column, or empty it",
    "стоит без заголовка: назовите столбец или очистите его",
)
_MERGED = Said(
    "are merged cells, of which only the first has a value: part them, and fill each",
    "— объединённые ячейки, значение есть только в первой: разделите их и заполните каждую",
)
_NO_ROWS = Said(
    'there are no rows (those that begin with "# " are examples, which are not read)',
    "нет строк (те, что начинаются с «# », — примеры, они не читаются)",
)


@attrs.frozen
class Line:
    """A row of a table: each cell that says something, by its column's key.

    `columns` are those that its sheet has, None where a line says all that there is to say.
    """

    sheet: str | None
    number: int
    cells: Mapping[str, Raw]
    places: Mapping[str, int]
    columns: frozenset[str] | None

    def place(self, column: Column | None = None) -> Place:
        """Where the row is, or a cell of it."""
        if column is None:
            return Place(self.sheet, self.number)
        titles = Said(column.key, column.russian) if self.places else same(column.key)
        return Place(self.sheet, self.number, self.places.get(column.key), titles)

    def mistake(self, column: Column | None, what: Said, *, warns: bool = False) -> Mistake:
        """A mistake in this row."""
        value = None if column is None else self.cells.get(column.key)
        return Mistake(place=self.place(column), value=value, what=what, warns=warns)


@attrs.define
class Reading:
    """What came of reading a file, known when its lines have passed.

    `spoilt` are mistakes that make the whole file unusable.
    """

    spoilt: list[Mistake] = attrs.field(factory=list)
    mistakes: list[Mistake] = attrs.field(factory=list)
    notes: list[Said] = attrs.field(factory=list)
    remarks: int = 0


def read_lines(path: Path, layout: Layout, reading: Reading) -> Iterator[Line]:
    """The rows of all sheets that are such a table. Raises BadArgument, OSError."""
    passed: list[tuple[Sheet, Row | None]] = []
    found = False
    try:
        with opened(path) as sheets:
            for sheet in sheets:
                header, rows = _header(sheet, layout)
                if header is None or rows is None:
                    passed.append((sheet, header))
                    continue
                found = True
                yield from _lines(sheet, header, rows, layout, reading)
                reading.notes += sheet.notes
    except Unreadable as error:
        reading.spoilt.append(Mistake(place=Place(), what=error.why))
        return
    if not found:
        reading.spoilt += [_no_table(sheet, header, layout) for sheet, header in passed[:1]]
    ours = {EXPLANATIONS.en, EXPLANATIONS.ru}
    reading.notes += [
        _passed_over(sheet) for sheet, _ in passed if found and sheet.name not in ours
    ]
    if reading.remarks:
        reading.notes.append(_remarks(reading.remarks))


def _header(sheet: Sheet, layout: Layout) -> tuple[Row | None, Iterator[Row] | None]:
    """The row of names, which may stand below a title, and the rows below it.

    Without one, the first row and no rows.
    """
    head: list[Row] = []
    for row in sheet.rows:
        known = _known(row, layout)
        names = {column.key for column in known} & {"store", "sku"}
        if len(known) > 1 or (names and not head):
            return row, sheet.rows
        head.append(row)
        if len(head) == _HEAD:
            break
    return (head[0] if head else None), None


def _known(header: Row, layout: Layout) -> set[Column]:
    names = (layout.by_title.get(plain_title(shown(raw))) for raw in header[1].values())
    return {column for column in names if column is not None}


def _lines(
    sheet: Sheet, header: Row, rows: Iterator[Row], layout: Layout, reading: Reading
) -> Iterator[Line]:
    columns = _columns(sheet, header, layout, reading)
    places = {column.key: place for place, column in columns.items()} if sheet.lettered else {}
    named = frozenset(places) if sheet.lettered else None
    unnamed: dict[int, Mistake] = {}
    told: list[int] = [header[0]]
    for number, row in rows:
        if _is_remark(row):
            reading.remarks += 1
            continue
        cells = {}
        for place, raw in row.items():
            column = columns.get(place)
            if column is not None:
                cells[column.key] = raw
            elif place not in header[1] and place not in unnamed:
                unnamed[place] = _mistake(sheet, number, place, raw, _NO_NAME)
        if cells:
            told.append(number)
            yield Line(sheet.name, number, cells, places, named)
    reading.spoilt += unnamed.values()
    reading.spoilt += _merged(sheet, told, columns)
    if len(told) == 1:
        reading.spoilt.append(_mistake(sheet, header[0], None, None, _NO_ROWS))


def _is_remark(row: Mapping[int, Raw]) -> bool:
    first = row[min(row)]
    return isinstance(first, str) and (first.startswith(_REMARK) or first == _REMARK.strip())


def _columns(sheet: Sheet, header: Row, layout: Layout, reading: Reading) -> dict[int, Column]:
    """What each column is; what is wrong with the header goes to `reading`."""
    columns: dict[int, Column] = {}
    for place, raw in sorted(header[1].items()):
        number = sheet.named_at.get(place, header[0])
        column = layout.by_title.get(plain_title(shown(raw)))
        if isinstance(raw, Broken) or column is None:
            what = wanted(_UNKNOWN_COLUMN, _nearest(shown(raw), layout))
            reading.spoilt.append(_mistake(sheet, number, place, raw, what))
        elif column in columns.values():
            reading.spoilt.append(_mistake(sheet, number, place, raw, _TWICE))
        else:
            columns[place] = column
    missing = [key for key in layout.needed if layout.by_key[key] not in columns.values()]
    reading.spoilt += [_missing(sheet, header[0], layout.by_key[key]) for key in missing]
    return columns


def _nearest(name: str, layout: Layout) -> Said:
    """The columns whose names are most alike."""
    names = get_close_matches(plain_title(name), layout.by_title, n=3, cutoff=0.5)
    found = list(dict.fromkeys(layout.by_title[name] for name in names)) or layout.columns[:12]
    keys, russian = [column.key for column in found], [column.russian for column in found]
    return Said(", ".join(keys), ", ".join(russian))


def _missing(sheet: Sheet, number: int, column: Column) -> Mistake:
    what = Said(f"the column {column.key} is missing", f"нет столбца «{column.russian}»")
    return Mistake(place=Place(sheet.name, number), what=what)


def _mistake(sheet: Sheet, number: int, place: int | None, raw: Raw | None, what: Said) -> Mistake:
    return Mistake(
        place=Place(sheet.name, number, place if sheet.lettered else None), value=raw, what=what
    )


def _no_table(sheet: Sheet, header: Row | None, layout: Layout) -> Mistake:
    """A file without a table of ours: what its first row says, and what it should."""
    if header is None or not header[1]:
        return Mistake(place=Place(sheet.name), what=_NO_ROWS)
    right = [layout.by_key[key] for key in dict.fromkeys((*layout.needed, *layout.by_key))][:8]
    what = wanted(
        Said("is no header of such a table", "— не заголовок такой таблицы"),
        Said(
            ", ".join(column.key for column in right),
            ", ".join(column.russian for column in right),
        ),
    )
    row = "; ".join(shown(raw) for raw in header[1].values())
    return Mistake(place=Place(sheet.name, header[0]), value=row, what=what)


def _remarks(count: int) -> Said:
    return Said(
        f'rows that begin with "# " and are not read: {count:,}',
        f"строк, которые начинаются с «# » и не читаются: {spaced(count)}",
    )


def _passed_over(sheet: Sheet) -> Said:
    return Said(
        f'sheet "{sheet.name}" has no such header and is passed over',
        f"лист «{sheet.name}» без такого заголовка, он пропущен",
    )


def _merged(sheet: Sheet, told: Sequence[int], columns: Mapping[int, Column]) -> Iterator[Mistake]:
    """Merged cells where rows say something: a value that people see in each is in one alone."""
    rows = frozenset(told)
    for area in sheet.merged:
        hit = any(number in rows for number in range(area.top, area.bottom + 1))
        if hit and any(area.left <= place <= area.right for place in columns):
            yield _of_area(sheet, area)


def _of_area(sheet: Sheet, area: Merged) -> Mistake:
    return Mistake(place=Place(sheet.name, area.top, area.left), value=area.name, what=_MERGED)


#: What was read from a text before, by column: words and round numbers come again and again.
Known = dict[str, dict[Raw, object]]


def read_cells(
    line: Line, layout: Layout, known: Known, mistakes: list[Mistake]
) -> dict[str, object]:
    """The values of a row's cells; the mistakes go to `mistakes`.

    A dash means none, whatever the defaults say.
    """
    values: dict[str, object] = {}
    for key, raw in line.cells.items():
        before = known[key]
        if type(raw) is str and raw in before:
            values[key] = before[raw]
            continue
        column = layout.by_key[key]
        try:
            value = None if raw in NONE and column.is_rule else column.form.read(raw)
        except Wrong as error:
            mistakes.append(line.mistake(column, wanted(error.why, column.form.right)))
            continue
        values[key] = value
        if type(raw) is str and len(before) < _KEPT:
            before[raw] = value
    return values


#: So many texts of a column are remembered.
_KEPT = 1_000
