"""The market's own book: every change with what was wrong about it, every price that went live."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import attrs

from domain.identity import CityId, MerchantId
from domain.money import Tenge
from sandbox.seller.changing import WRONGS, Wrong
from sandbox.seller.goods import Author, Availability, Change

Fate = Literal["waiting", "applied", "lost", "unknown_sku", "ignored"]
Why = Literal["per_second", "per_window", "in_block"]


@attrs.define(kw_only=True)
class Entry:
    """One change that was accepted, and what became of it.

    `wrongs` is judged by what the cabinet had last shown the account (or, if it never looked, by
    what was true); `effects` is what really happened to the listing when it applied. `late` and
    `cut` say that the sandbox delayed it or dropped some of it on purpose.
    """

    number: int
    id: str
    at: datetime
    real_at: datetime
    account: str
    door: str
    merchant: MerchantId
    sku: str
    price: Tenge | None
    city_prices: Mapping[CityId, Tenge]
    points: Sequence[str] | None
    looked: bool
    wrongs: Sequence[Wrong]
    due: datetime
    fate: Fate = "waiting"
    late: bool = False
    cut: bool = False
    applied_at: datetime | None = None
    effects: Sequence[Wrong] = ()
    removed: bool = False


@attrs.frozen(kw_only=True)
class Live:
    """What buyers of a city saw of us from a moment on; `by` is an entry's id or `outside`."""

    number: int
    at: datetime
    real_at: datetime
    merchant: MerchantId
    sku: str
    city: CityId
    price: Tenge
    present: bool
    by: str


@attrs.frozen(kw_only=True)
class Refused:
    """A write that met a limit."""

    number: int
    at: datetime
    real_at: datetime
    account: str
    merchant: MerchantId
    why: Why


@attrs.define
class Book:
    """All entries in their order. `real_clock` dates them beside the sandbox's moment."""

    real_clock: Callable[[], datetime]
    changes: list[Entry] = attrs.Factory(list)
    live: list[Live] = attrs.Factory(list)
    refusals: list[Refused] = attrs.Factory(list)

    def accept(
        self,
        change: Change,
        author: Author,
        *,
        id: str,  # noqa: A002 - the marketplace's word
        merchant: MerchantId,
        at: datetime,
        due: datetime,
        looked: bool,
        wrongs: Sequence[Wrong],
    ) -> Entry:
        """Enter a change that was accepted."""
        points = change.places
        entry = Entry(
            number=len(self.changes),
            id=id,
            at=at,
            real_at=self.real_clock(),
            account=author.email,
            door=author.door,
            merchant=merchant,
            sku=change.sku,
            price=change.price,
            city_prices=change.city_prices,
            points=None if points is None else [_point(said) for said in points],
            looked=looked,
            wrongs=wrongs,
            due=due,
        )
        self.changes.append(entry)
        return entry

    def went_live(
        self,
        *,
        at: datetime,
        merchant: MerchantId,
        sku: str,
        city: CityId,
        price: Tenge,
        present: bool,
        by: str,
    ) -> None:
        """Enter what a city sees from now on."""
        self.live.append(
            Live(
                number=len(self.live),
                at=at,
                real_at=self.real_clock(),
                merchant=merchant,
                sku=sku,
                city=city,
                price=price,
                present=present,
                by=by,
            )
        )

    def refuse(self, account: str, merchant: MerchantId, at: datetime, why: Why) -> None:
        """Enter a write that met a limit."""
        self.refusals.append(
            Refused(
                number=len(self.refusals),
                at=at,
                real_at=self.real_clock(),
                account=account,
                merchant=merchant,
                why=why,
            )
        )

    def told(self) -> Mapping[str, object]:
        """The book in numbers."""
        return {
            "changes": len(self.changes),
            "fates": Counter(entry.fate for entry in self.changes),
            "wrongs": Counter(wrong.kind for entry in self.changes for wrong in entry.wrongs),
            "effects": Counter(wrong.kind for entry in self.changes for wrong in entry.effects),
            "removed": sum(entry.removed for entry in self.changes),
            "without_looking": sum(not entry.looked for entry in self.changes),
            "live": len(self.live),
            "refusals": Counter(refused.why for refused in self.refusals),
            "kinds": WRONGS,
        }


def _point(said: Availability) -> str:
    """A point as the book names it: 30000001_PP1 yes, 5 in stock, 3 days."""
    stock = "" if said.stock is None else f", {said.stock} in stock"
    days = f", {said.preorder} days" if said.preorder else ""
    return f"{said.store_id} {'yes' if said.available else 'no'}{stock}{days}"
