"""What a price list asks for, whatever it is written in, and why a whole list is refused."""

import re
from collections.abc import Collection, Iterable

import attrs

from domain.identity import MerchantId
from domain.money import NotMoney, Tenge, tenge
from sandbox.seller.goods import Change
from sandbox.seller.switches import SellerSwitches

#: The guide's rule, and the cabinet's own {card}_{code}.
_SKU = re.compile(r"[0-9A-Za-z_]{1,20}")
_DIGITS = re.compile(r"[0-9]{1,10}")


class ListRefused(ValueError):
    """A list of which nothing is taken; the message says the line and why."""


@attrs.frozen(kw_only=True)
class Row:
    """One offer of a list with its line, and what is wrong with it, if anything."""

    line: int
    change: Change
    wrong: str | None = None


@attrs.frozen(kw_only=True)
class PriceList:
    """A list that is taken: how many rows it has, the changes of goods we know, the bad rows."""

    rows: int
    changes: tuple[Change, ...]
    skipped: tuple[str, ...]

    @property
    def named(self) -> Collection[str]:
        """The skus that it names, of those we know."""
        return {change.sku for change in self.changes}


@attrs.frozen(kw_only=True)
class Reader:
    """Whose list is read: the store, its points, the skus it has."""

    merchant: MerchantId
    points: Collection[str]
    known: Collection[str]

    def point(self, said: str) -> str | None:
        """A point's whole name for PP1 or 30000001_PP1, or None if the store has none such."""
        whole = said if said.startswith(f"{self.merchant}_") else f"{self.merchant}_{said}"
        return whole if whole in self.points else None


def gathered(rows: Iterable[Row], reader: Reader, switches: SellerSwitches) -> PriceList:
    """Take the rows that are right. Raises ListRefused as the switches say."""
    seen: set[str] = set()
    changes: dict[str, Change] = {}
    skipped = []
    for row in rows:
        sku = row.change.sku
        wrong = row.wrong or _wrong_sku(sku, seen, switches)
        seen.add(sku)
        if wrong is None:
            if sku in reader.known:
                changes[sku] = row.change
        elif switches.bad_rows == "refuse_list":
            raise ListRefused(f"line {row.line}: {wrong}")
        else:
            skipped.append(f"line {row.line}: {wrong}")
    if not seen:
        raise ListRefused("no offer")
    return PriceList(rows=len(seen), changes=tuple(changes.values()), skipped=tuple(skipped))


def _wrong_sku(sku: str, seen: Collection[str], switches: SellerSwitches) -> str | None:
    if sku in seen:
        return f"sku {sku} twice"
    if switches.long_skus == "refused" and not _SKU.fullmatch(sku):
        return f"sku {sku!r} is not up to 20 latin letters and digits"
    return None


def whole(text: str | None, what: str) -> int:
    """A whole number as lists write it. Raises ValueError."""
    if text is None or not _DIGITS.fullmatch(text):
        raise ValueError(f"{what} {text!r} is not a whole number")
    return int(text)


def money(text: str | None) -> Tenge:
    """A price as lists write it. Raises ValueError."""
    try:
        return tenge(whole(text, "price"))
    except NotMoney as wrong:
        raise ValueError(str(wrong)) from wrong
