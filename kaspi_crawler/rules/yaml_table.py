"""A table in YAML: a list of lines, each an object of columns and values."""

from collections.abc import Iterator
from typing import IO

import yaml

from kaspi_crawler.rules.raw import Raw
from kaspi_crawler.rules.sheet import Row, Sheet, Unreadable
from kaspi_crawler.said import Said

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_LIST = Said(
    'right: a list of lines, each "- {store: …, sku: …, floor: …}"',
    "нужно: список строк, каждая «- {store: …, sku: …, floor: …}»",
)


def yaml_sheets(file: IO[bytes]) -> Iterator[Sheet]:
    """The one table of the file, its header first. Raises Unreadable."""
    columns: dict[str, tuple[int, int]] = {}
    rows = [_row(line, columns) for line in _lines(file)]
    header: dict[int, Raw] = {column: name for name, (column, _) in columns.items()}
    named_at = dict(columns.values())
    first = min(named_at.values(), default=1)
    yield Sheet(None, iter([(first, header), *rows]), lettered=False, named_at=named_at)


def _lines(file: IO[bytes]) -> list[yaml.MappingNode]:
    """The nodes of the list: values stay as they are written, `on` and 007 too."""
    try:
        root = yaml.compose(file, Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())
        raise Unreadable(Said(f"this is no YAML ({what})", f"это не YAML ({what})")) from None
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise Unreadable(_NO_LIST)
    for line in root.value:
        if not isinstance(line, yaml.MappingNode):
            raise Unreadable(_at(line, _NO_LIST))
    lines: list[yaml.MappingNode] = root.value
    return lines


def _at(node: yaml.Node, why: Said) -> Said:
    number = node.start_mark.line + 1
    return Said(f"line {number}: {why.en}", f"строка {number}: {why.ru}")


def _row(line: yaml.MappingNode, columns: dict[str, tuple[int, int]]) -> Row:
    cells: dict[int, Raw] = {}
    for name, value in line.value:
        key = _name(name)
        number = int(name.start_mark.line) + 1
        column, _ = columns.setdefault(key, (len(columns), number))
        if column in cells:
            twice = Said(f'"{key}" is said twice', f"«{key}» сказано дважды")
            raise Unreadable(_at(name, twice))
        raw = _raw(value)
        if raw is not None:
            cells[column] = raw
    return int(line.start_mark.line) + 1, cells


def _name(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise Unreadable(_at(node, _NO_LIST))
    return str(node.value)


def _raw(node: yaml.Node) -> Raw | None:
    """A scalar's text, a list's texts; nothing for null."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(_scalar(item) for item in node.value)
    text = _scalar(node)
    is_null = node.tag == "tag:yaml.org,2002:null"
    return None if is_null or not text.strip() else text.strip()


def _scalar(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise Unreadable(
            _at(node, Said("right: a value or a list of values", "нужно: значение или их список"))
        )
    return str(node.value)
