"""What the marketplace and the state take of a sale: dated tables beside this module, as values.

The tables come with the package, as code does: they are read once and never change while it
runs. A decision is given them; it does not look for them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from importlib.resources import files
from typing import TypeVar

import attrs

from domain.pricing import WHOLE, Rule

TABLES = ("commission", "delivery", "rates")
#: What stands between the steps of a category's path.
_STEP_OF_PATH = re.compile(r"\s*[/>|›→]\s*")

T = TypeVar("T")


class NotATariff(ValueError):
    """A table that cannot be read; the text names the table, the line and what would be right."""


@attrs.frozen
class DeliveryRow:
    """A fee without VAT in tenge, up to a price and a weight in grams; None is without limit."""

    zone: str
    price_up_to: int | None
    grams_up_to: int | None
    fee: int


@attrs.frozen(kw_only=True, eq=False)
class Tariff:
    """What is in force on one day. Rates are basis points."""

    valid_from: date
    commissions: Mapping[tuple[str, str], int]
    delivery: tuple[DeliveryRow, ...]
    payment_bp: int
    tax_bp: int
    vat_bp: int

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that delivery knows."""
        return tuple(dict.fromkeys(row.zone for row in self.delivery))

    @lru_cache(maxsize=4096)  # noqa: B019  (tariffs live as long as the program)
    def commission_bp(self, category: str | None) -> int:
        """The commission on a category, its name or its path ("Украшения / Кольца").

        The last step of the path that the table names decides; where the path has no section,
        the dearest section that has such a category does. A name that the table does not know may
        be a typing error: it pays the dearest commission of all, so that nothing is sold at a loss.
        """
        path = [step.casefold() for step in _STEP_OF_PATH.split(category or "") if step]
        for place, step in reversed(list(enumerate(path))):
            sections = path[:place]
            found = [
                rate
                for (section, leaf), rate in self.commissions.items()
                if step == (leaf or section) and (not leaf or not sections or section in sections)
            ]
            if found:
                return max(found)
        return max(self.commissions.values()) if path else self.commissions["", ""]

    @lru_cache(maxsize=4096)  # noqa: B019
    def fees(self, zone: str, grams: int) -> tuple[tuple[int, int], ...]:
        """The delivery fee as steps: (from this price on, fee in ten-thousandths of a tenge).

        VAT included, which is why it is no whole number of tenge. Raises KeyError for a zone
        that the table does not know.
        """
        rows = [
            row
            for row in self.delivery
            if row.zone == zone and (row.grams_up_to is None or grams <= row.grams_up_to)
        ]
        if not rows:
            raise KeyError(zone)
        steps, begins = [], 1
        for row in rows:
            steps.append((begins, row.fee * (WHOLE + self.vat_bp)))
            if row.price_up_to is None:
                break
            begins = row.price_up_to + 1
        return tuple(steps)


@attrs.frozen(eq=False)
class Tariffs:
    """Tariffs by the day from which they hold, ascending."""

    versions: tuple[Tariff, ...]

    def on(self, day: date | None) -> Tariff | None:
        """What is in force on that day, None before the first; without a day the newest."""
        in_force = [one for one in self.versions if day is None or one.valid_from <= day]
        return in_force[-1] if in_force else None


@cache
def packaged() -> Tariffs:
    """The tables that come with the package."""
    here = files(__name__)
    return read({name: (here / f"{name}.tsv").read_text(encoding="utf-8") for name in TABLES})


def read(tables: Mapping[str, str]) -> Tariffs:
    """Tariffs from the texts of the three tables. Raises NotATariff.

    Each table may begin a new version on its own day; the others go on as they were.
    """
    commissions = _by_day("commission", tables, _commission)
    deliveries = _by_day("delivery", tables, _delivery)
    rates = _by_day("rates", tables, _rate)
    first = max(min(commissions), min(deliveries), min(rates))
    days = sorted({day for day in (*commissions, *deliveries, *rates) if day >= first})
    return Tariffs(
        tuple(
            Tariff(
                valid_from=day,
                commissions=dict(_newest(commissions, day)),
                delivery=tuple(_newest(deliveries, day)),
                **{f"{name}_bp": bp for name, bp in _newest(rates, day)},
            )
            for day in days
        )
    )


def _newest(versions: Mapping[date, Sequence[T]], day: date) -> Sequence[T]:
    return versions[max(known for known in versions if known <= day)]


def _commission(row: Sequence[str]) -> tuple[tuple[str, str], int]:
    section, category, bp = row
    return (section.casefold(), category.casefold()), _whole(bp)


def _delivery(row: Sequence[str]) -> DeliveryRow:
    zone, price, kilograms, fee = row
    return DeliveryRow(
        zone=zone,
        price_up_to=_whole(price) if price else None,
        grams_up_to=int(Decimal(kilograms) * 1000) if kilograms else None,
        fee=_whole(fee),
    )


def _rate(row: Sequence[str]) -> tuple[str, int]:
    name, bp = row
    return name, _whole(bp)


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _by_day(
    name: str, tables: Mapping[str, str], reader: Callable[[Sequence[str]], T]
) -> dict[date, list[T]]:
    versions: dict[date, list[T]] = {}
    for number, (day, *row) in _rows(tables[name]):
        try:
            versions.setdefault(date.fromisoformat(day), []).append(reader(row))
        except (ValueError, InvalidOperation) as error:
            raise NotATariff(
                f"{name}, line {number}: {error}; compare it with its heading"
            ) from None
    if not versions:
        raise NotATariff(f"{name}: no rows; it needs one that begins with a day (2026-01-01)")
    return versions


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    """The lines that hold values: not the comments and not the heading."""
    lines = [
        (number, line.split("\t"))
        for number, line in enumerate(text.splitlines(), start=1)
        if line and not line.startswith("#")
    ]
    return lines[1:]


def rates(tariff: Tariff, rule: Rule) -> tuple[int, int, int]:
    """Commission, payment fee and tax by this rule, in basis points of the price."""
    commission, payment, tax = rule.commission_bp, rule.payment_bp, rule.tax_bp
    return (
        tariff.commission_bp(rule.category) if commission is None else commission,
        tariff.payment_bp if payment is None else payment,
        tariff.tax_bp if tax is None else tax,
    )


def overridden(tariff: Tariff, rule: Rule) -> tuple[int, tuple[tuple[int, int], ...]]:
    """What is taken of a sale by this rule: basis points of the price, and the delivery's steps.

    What the rule says of its own (commission, payment, tax, delivery fee) goes before the table.
    """
    taken = sum(rates(tariff, rule))
    if rule.delivery_fee is not None:
        return taken, ((1, rule.delivery_fee * WHOLE),)
    return taken, tariff.fees(rule.zone, rule.weight)
