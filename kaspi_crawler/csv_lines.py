"""CSV as people save it: commas, semicolons or tabs, perhaps a heading, remarks behind #."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from kaspi_crawler.arguments import BadArgument

#: What follows a lone # is a remark; an address may hold one.
_REMARK = re.compile(r"(?:^|\s)#")
#: Names that a file's first line may give to its columns.
_HEADINGS = {"product", "kaspi_id", "id", "sku", "товар", "код"}


def csv_lines(path: Path, verb: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that says something, with its number; a heading says nothing.

    Raises OSError, and BadArgument that names the verb for what is no text, a workbook for example.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        plain = (
            _REMARK.split(line, maxsplit=1)[0].replace(";", ",").replace("\t", ",") for line in file
        )
        try:
            for number, cells in enumerate(csv.reader(plain), start=1):
                told = [cell.strip() for cell in cells]
                if any(told) and not (number == 1 and told[0].casefold() in _HEADINGS):
                    yield number, told
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadArgument(
                f"{verb}: {path} is no CSV in UTF-8 ({error}). Save it as CSV UTF-8, then try again"
            ) from None
