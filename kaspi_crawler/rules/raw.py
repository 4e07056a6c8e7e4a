"""What stands in a cell, before anybody asks what it should be."""

from datetime import date
from decimal import Context, Decimal

import attrs

from kaspi_crawler.said import Said

#: As many digits as a spreadsheet shows: what comes after them is the noise of its arithmetic.
_SHOWN = Context(prec=15)


@attrs.frozen
class Percent:
    """A number that its cell shows as a percentage: a share of 0.125 is 12.5 %."""

    share: Decimal


@attrs.frozen
class Broken:
    """A cell without a value that could be read: what it shows, and what is the matter."""

    shown: str
    why: Said


#: A text, a number, a switch, a day (in a workbook), or a list of texts (in YAML).
Raw = str | int | Decimal | bool | date | Percent | Broken | tuple[str, ...]


def number(text: str) -> int | Decimal:
    """A workbook's number as it is shown: 9500.0000000000018 is 9500. Raises InvalidOperation."""
    if text.isdecimal() and len(text) <= 15:
        return int(text)
    value = _SHOWN.create_decimal(text)
    return int(value) if value == value.to_integral_value() else value


def plain(value: Decimal | int) -> str:
    """A number without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(value: Raw) -> str:
    """The cell as people see it."""
    if isinstance(value, Percent):
        return f"{plain(value.share * 100)} %"
    if isinstance(value, Broken):
        return value.shown
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    return value if isinstance(value, str) else plain(value)
