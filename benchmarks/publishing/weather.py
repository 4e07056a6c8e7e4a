"""What a storm does: others' edits, new rules, kills, a database that dies, a cabinet cut off."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import attrs
import psycopg

from benchmarks.publishing.eyes import ask
from benchmarks.publishing.rulebook import Rulebook
from benchmarks.publishing.troupe import Market, Troupe
from domain.identity import ALMATY_CITY, CityId, MerchantId, ProductId
from domain.shop import RuleLine
from storage import rules
from storage.embedded.place import place_at
from storage.embedded.server import postmaster

T = TypeVar("T")

#: As everybody locks listings: whoever does it in another order meets the others halfway.
IN_ORDER = b"SELECT FROM listings ORDER BY id FOR UPDATE"
_RESUME = b"UPDATE listings SET paused_at = NULL, paused_why = NULL WHERE paused_at IS NOT NULL"
#: A sign-in that came to nothing rests for a minute of the marketplace, not of ours.
_WAKE = b"UPDATE cabinet_accounts SET rests_until = NULL WHERE rests_until IS NOT NULL"
_BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
#: Shares of answers that are bad, on all paths of the seller's side.
_BAD = {
    "no_certificate": 0.004,
    "html_for_json": 0.004,
    "reset": 0.003,
    "reset_midway": 0.004,
    "truncated": 0.003,
    "broken_off": 0.003,
    "hanging": 0.0005,
    "signed_out": 0.001,
}
#: Blocks that come for no reason of ours: what the budget learns from them is not true, so few.
_BLOCKS = [
    {"kind": "too_many_requests", "path": "pricefeed", "after": after} for after in (400, 900)
]
#: Seconds for which the sandbox is cut off: shorter than a price whose answer was lost is waited
#: for, as a cabinet is that takes a push in much later is not known.
_CUT = 4.0
#: Seconds after which something is killed, however little was sent.
_LONGEST_PEACE = 45.0
#: How many rules change at once, and how often a moment brings a change.
_CHANGED_RULES, _OFTEN = 6, 0.3

Goods = Mapping[str, Sequence[Mapping[str, Any]]]


def persistently(work: Callable[[], T]) -> T:
    """Do something with a database that may be away for a while."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return work()
        except (psycopg.OperationalError, psycopg.errors.DeadlockDetected):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


@attrs.define
class Turns:
    """Something that comes each so many prices."""

    every: int
    _next: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._next = self.every

    def has_come(self, sent: int) -> bool:
        """Whether its turn has come by now."""
        if sent < self._next:
            return False
        self._next = sent + self.every
        return True


@attrs.define
class Weather:
    """All that happens to a troupe and to its market. `goods` are the stores' as they began."""

    troupe: Troupe
    market: Market
    goods: Goods
    cluster: Path
    random: Random
    rules: Rulebook = attrs.field(factory=Rulebook)
    cuts: int = 0
    _kills: Turns = attrs.field(init=False)
    _cuts: Turns = attrs.field(init=False)
    _server_kills: Turns = attrs.field(init=False)
    _last_kill: float = attrs.field(init=False, factory=time.monotonic)
    _ways: Iterator[Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        storm = self.troupe.storm
        self._kills = Turns(storm.kill_after)
        self._cuts = Turns(storm.changes // (storm.cuts + 1))
        self._server_kills = Turns(storm.changes // (storm.server_kills + 1))
        self._ways = cycle([self.kill_postmaster, self.kill_backend])

    def begin(self) -> None:
        """From now on answers may be bad."""
        self._trouble({"random": _BAD, "script": _BLOCKS, "hang_seconds": 6})

    def calm(self) -> None:
        """From now on all is well."""
        self._trouble({})

    def pass_over(self, sent: int) -> None:
        """One moment of it, when so many prices have left."""
        self.meddle()
        if self.random.random() < _OFTEN:
            self.change_rules()
        if self._kills.has_come(sent) or time.monotonic() - self._last_kill > _LONGEST_PEACE:
            self.kill()
        if self._server_kills.has_come(sent):
            next(self._ways)()
        elif self._cuts.has_come(sent):
            self.cut_off()

    # --- What others do ------------------------------------------------------------------------

    def meddle(self) -> None:
        """Prices, also forbidden ones, points that close and open, stock; a person who looks."""
        random = self.random
        store = random.choice(self.market.stores)
        for item in random.sample(self.goods[store], 2):
            edit: dict[str, Any] = {"sku": item["sku"]}
            if random.random() < 0.4 and item["city_prices"]:
                city = random.choice(list(item["city_prices"]))
                factor = random.choice((0.3, 0.9, 1.1, 3))
                edit["cityPrices"] = {city: max(1, int(item["city_prices"][city] * factor))}
            else:
                place = random.choice(item["places"])
                stock = random.choice((0, 5, 40)) if place["specified"] else None
                is_open = random.random() < 0.7
                edit["points"] = {place["store_id"]: {"available": is_open, "stockCount": stock}}
            ask(self.market.address, f"seller/edit?merchant={store}", edit)

    def look_after(self) -> None:
        """What a person does: paused articles are resumed, sign-ins are tried again."""
        with psycopg.connect(self.troupe.database) as connection:
            connection.execute(IN_ORDER)
            connection.execute(_RESUME)
            connection.execute(_WAKE)

    def first_rules(self) -> None:
        """A rule for each of the goods, and for every third another one in Almaty."""
        for store, goods in self.goods.items():
            lines = [line_of(store, item, 0.6, 2) for item in goods]
            lines += [line_of(store, item, 0.7, 1.8, ALMATY_CITY) for item in goods[::3]]
            self._let_hold(lines)

    def change_rules(self) -> None:
        """Floors and ceilings of some goods move, also past prices that are on their way."""
        random = self.random
        store = random.choice(self.market.stores)
        lines = []
        for item in random.sample(self.goods[store][::3], 2) + random.sample(
            self.goods[store], _CHANGED_RULES - 2
        ):
            has_two = item in self.goods[store][::3]
            city = ALMATY_CITY if has_two and random.random() < 0.5 else None
            floor, ceiling = random.uniform(0.4, 1.1), random.uniform(1.2, 2.5)
            lines.append(line_of(store, item, floor, ceiling, city))
        self._let_hold(list({(line.sku, line.city): line for line in lines}.values()))

    def _let_hold(self, lines: Sequence[RuleLine]) -> None:
        began = datetime.now(UTC)
        persistently(lambda: rules.apply(self.troupe.database, lines, "storm.csv"))
        self.rules.change(lines, began, datetime.now(UTC))

    # --- What breaks ---------------------------------------------------------------------------

    def kill(self) -> None:
        """End one of the troupe, and now and then everybody's session."""
        self.troupe.kill(self.random.choice(self.troupe.names))
        self._last_kill = time.monotonic()
        persistently(self.look_after)
        if self.random.random() < 0.15:
            ask(self.market.address, "seller/expire", {})

    def kill_postmaster(self) -> None:
        """End the database's server at once; who keeps it starts it anew."""
        found = postmaster(place_at(self.cluster))
        if found is not None:
            os.kill(found.pid, signal.SIGKILL)
            self.troupe.count("PostgreSQL")

    def kill_backend(self) -> None:
        """End one of the server's processes at once: it ends all others, and recovers."""
        with psycopg.connect(self.troupe.database) as connection:
            serving = [pid for (pid,) in connection.execute(_BACKENDS)]
        if serving:
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(serving), signal.SIGKILL)
            self.troupe.count("PostgreSQL's backend")

    def cut_off(self) -> None:
        """For some seconds the sandbox answers nobody, or hangs up on everybody."""
        self.cuts += 1
        with self.market.stopped() if self.cuts % 2 else self._hanging_up():
            time.sleep(_CUT)

    @contextmanager
    def _hanging_up(self) -> Iterator[None]:
        self._trouble({"random": {"reset": 1}})
        try:
            yield
        finally:
            self._trouble({"random": _BAD, "hang_seconds": 6})

    def _trouble(self, faults: Mapping[str, Any]) -> None:
        ask(self.market.address, "faults", faults)


def line_of(
    store: str, item: Mapping[str, Any], floor: float, ceiling: float, city: CityId | None = None
) -> RuleLine:
    """A rule from so much of the lowest to so much of the highest price that an item had."""
    prices = item["city_prices"].values()
    return RuleLine(
        store=MerchantId(store),
        sku=item["sku"],
        kaspi_id=ProductId(item["product"]),
        city=city,
        said={"floor": int(min(prices) * floor), "ceiling": int(max(prices) * ceiling)},
    )
