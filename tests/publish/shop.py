"""A store of ours in a running sandbox: its goods, its rules, its decisions, the sandbox's book."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs
import psycopg
from psycopg.rows import dict_row

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.pricing import Action, Decision, Reason
from domain.shop import Decided, Listed, ListingId, RuleId, RuleLine
from storage import outbox, rules
from storage.database import in_transaction, open_engine
from tests.building import ALMATY
from tests.publish.signing import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
CALM = {"apply_seconds": 0, "per_second": None}
_RULE = """
SELECT listings.id AS listing, listings.kaspi_id, price_rules.id AS rule,
       price_rules.said::text AS said
FROM listings JOIN price_rules ON price_rules.listing_id = listings.id
WHERE price_rules.replaced_by IS NULL AND store_id = %s AND sku = %s
    AND price_rules.city_id IN ('', %s)
ORDER BY price_rules.city_id DESC
LIMIT 1
"""


@attrs.frozen
class Shop:
    """The sandbox's store at an address, and our memory of it."""

    address: str
    database: str

    @property
    def store(self) -> MerchantId:
        return MerchantId(self.ask("seller/goods")["merchant"])

    def ask(self, path: str, body: object = None) -> Any:
        """Something of the sandbox itself."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.address}/sandbox/{path}", data=data), timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def switch(self, **switches: object) -> None:
        self.ask("seller/switches", {**CALM, **switches})

    def goods(self) -> dict[str, Any]:
        """The listings as they truly are, by sku."""
        return {one["sku"]: one for one in self.ask("seller/goods")["listings"]}

    def on_sale(self, city: CityId = ALMATY) -> list[dict[str, Any]]:
        """Those that are sold in a city for a price of its own."""
        return [
            one
            for one in self.goods().values()
            if one["archived_at"] is None
            and city in one["city_prices"]
            and all(place["available"] for place in one["places"])
        ]

    def price(self, sku: str, city: CityId = ALMATY) -> int:
        """What a city truly sees."""
        one = self.goods()[sku]
        found: int = one["city_prices"].get(city, one["price"])
        return found

    def rule(self, *items: Mapping[str, Any], city: CityId | None = None, **said: Any) -> None:
        """Let a rule hold for items: by default from half to twice the lowest price."""
        rules.apply(
            self.database,
            [
                RuleLine(
                    store=self.store,
                    sku=one["sku"],
                    kaspi_id=ProductId(one["product"]),
                    city=city,
                    said={"floor": one["price"] // 2, "ceiling": one["price"] * 2} | said,
                )
                for one in items
            ],
            "rules.csv",
        )

    def decide(
        self,
        item: Mapping[str, Any],
        price: int,
        *,
        city: CityId = ALMATY,
        before: int | None = None,
        brings: int = 0,
        action: Action = Action.SET,
        at: datetime | None = None,
    ) -> None:
        """Write a decision as the stage `intend` does."""
        [held] = self.rows(_RULE, self.store, item["sku"], city)
        said = json.loads(held["said"])
        decided = Decided(
            listing=_listed(self.store, item["sku"], city, held),
            board_at=at or datetime.now(UTC),
            decision=_decision(price, before or item["city_prices"][city], said, action),
            brings=brings,
            stands=True,
        )
        asyncio.run(_write(self.database, [decided]))

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def do(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(statement.encode(), values)

    @property
    def states(self) -> list[tuple[int, str, str | None]]:
        """Price, state and outcome of each intention, the oldest first."""
        found = self.rows("SELECT price, state, outcome FROM intentions ORDER BY id")
        return [(row["price"], row["state"], row["outcome"]) for row in found]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What the sandbox accepted of us."""
        found: list[dict[str, Any]] = self.ask("seller/book/changes")
        return found

    @property
    def book(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("seller/book")
        return found


def _listed(store: MerchantId, sku: str, city: CityId, held: Mapping[str, Any]) -> Listed:
    return Listed(
        id=ListingId(held["listing"]),
        store=store,
        sku=sku,
        kaspi_id=ProductId(held["kaspi_id"]),
        city=city,
        price=None,
        stock=None,
        stocked_on=None,
        rule=RuleId(held["rule"]),
        said=held["said"].encode(),
        sisters=frozenset(),
        moved_today=0,
        changed_at=None,
        changed_for=None,
        median=None,
        changes=0,
        watched=timedelta(0),
    )


def _decision(price: int, before: int, said: Mapping[str, Any], action: Action) -> Decision:
    return Decision(
        id=None,
        action=action,
        price=Tenge(price) if action is Action.SET else None,
        wish=None,
        reason=Reason.UNDERCUT if action is Action.SET else Reason.AT_TARGET,
        rival=None,
        before=Tenge(before),
        profit=None,
        profit_before=None,
        place=1,
        place_before=2,
        pairs=((said["floor"], said["ceiling"]),),
        constraints=(),
        rivals=(),
        levels=(),
        dropped=(),
    )


async def _write(database: str, decided: Sequence[Decided]) -> None:
    engine = open_engine(database, connections=1)
    await in_transaction(engine, lambda cursor: outbox.write(cursor, decided))
    await engine.dispose()


@contextmanager
def serving(directory: Path, products: int = 30) -> Iterator[str]:
    """A sandbox with a cabinet, whose time stands still; its address."""
    told = directory / "shop"
    words = [f"--products={products}", f"--port-file={told}", f"--shop-password={PASSWORD}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *words], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not told.exists():
            assert process.poll() is None, "the sandbox did not start"
            assert time.monotonic() < deadline, "the sandbox is not ready"
            time.sleep(0.02)
        yield told.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
