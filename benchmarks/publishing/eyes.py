"""Looks at the market's truth and decides, in the crawl's place: a process that may be killed.

`python -m benchmarks.publishing.eyes`. What a crawl would read is taken from the sandbox's truth,
and the new price is drawn by chance out of the allowed ones; both are then written by the code
that a crawl's stages use: `storage.outbox.write`, `storage.arrivals.seen_on_boards`.
"""

import argparse
import asyncio
import json
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.request import Request, urlopen

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.offers import OfferBoard
from domain.pricing import Action, Decision, Reason
from domain.publishing import Patience
from domain.shop import Decided, Listed, ListingId, RuleId
from storage import arrivals, outbox
from storage.database import Cursor, in_transaction, open_engine
from tests.building import offer

#: All in which the sandbox's stores have points.
CITIES = (CityId("750000000"), CityId("710000000"), CityId("511010000"))
_RULES = """
SELECT listings.sku, price_rules.city_id, listings.id, price_rules.id, price_rules.said::text
FROM listings JOIN price_rules ON price_rules.listing_id = listings.id
WHERE store_id = %s AND replaced_by IS NULL
"""
_WAITING = """
SELECT count(*) FROM intentions JOIN listings ON listings.id = listing_id
WHERE store_id = %s AND state = 'pending'
"""
#: Share of the boards on which something is decided, unless so many prices of the store wait.
_DECIDED, _ENOUGH = 0.4, 60
_NOW = "SELECT clock_timestamp()"


def ask(address: str, path: str, body: object = None) -> Any:
    """Something of the sandbox itself."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{address}/sandbox/{path}", data=data), timeout=60) as answer:  # noqa: S310
        return json.load(answer)


async def look(
    cursor: Cursor, address: str, store: MerchantId, random: Random, patience: Patience
) -> list[Decided]:
    """Read a store's boards, verify what is under way, decide on some of them."""
    await cursor.execute(_RULES, [store])
    rows: list[Any] = await cursor.fetchall()
    rules = {(sku, city): (listing, rule, said) for sku, city, listing, rule, said in rows}
    [waiting] = await _one(cursor, _WAITING, store)
    decides = _DECIDED if waiting < _ENOUGH else 0
    at: datetime = (await _one(cursor, _NOW))[0]
    goods = await asyncio.get_running_loop().run_in_executor(
        None, ask, address, f"seller/goods?merchant={store}"
    )
    boards, decided = [], []
    for item in goods["listings"]:
        for city in CITIES:
            held = rules.get((item["sku"], city)) or rules.get((item["sku"], ""))
            if held is None or city not in item["city_prices"]:
                continue
            price = item["city_prices"][city]
            on_sale = item["archived_at"] is None
            own = (offer(store, price),) if on_sale else ()
            boards.append(
                OfferBoard(
                    kaspi_id=ProductId(item["product"]),
                    city_id=city,
                    offers=own,
                    total=len(own),
                    complete=True,
                    checked_at=at,
                )
            )
            if on_sale and random.random() < decides:
                decided.append(
                    _decided(
                        store=store,
                        item=item,
                        city=city,
                        live=price,
                        held=held,
                        at=at,
                        random=random,
                    )
                )
    await arrivals.seen_on_boards(cursor, boards, patience)
    return decided


async def _one(cursor: Cursor, query: str, *values: object) -> Any:
    await cursor.execute(query, values)
    return await cursor.fetchone()


def _decided(
    *,
    store: MerchantId,
    item: Any,
    city: CityId,
    live: int,
    held: tuple[int, int, str],
    at: datetime,
    random: Random,
) -> Decided:
    listing, rule, said = held
    allowed = json.loads(said)
    low, high = allowed["floor"], allowed["ceiling"]
    price = random.randint(low, high)
    price = price if price != live else low + (price == low)
    forbidden = not low <= live <= high
    listed = Listed(
        id=ListingId(listing), store=store, sku=item["sku"], kaspi_id=ProductId(item["product"]),
        city=city, price=None, stock=None, stocked_on=None, rule=RuleId(rule), said=said.encode(),
        sisters=frozenset(), moved_today=0, changed_at=None, changed_for=None, median=None,
        changes=0, watched=timedelta(0),
    )  # fmt: skip
    decision = Decision(
        id=None, action=Action.SET, price=Tenge(price), wish=None, reason=Reason.UNDERCUT,
        rival=None, before=Tenge(live), profit=None, profit_before=None, place=1, place_before=2,
        pairs=((low, high),), constraints=(), rivals=(), levels=(), dropped=(),
    )  # fmt: skip
    brings = random.randint(0, 10_000_000)
    return Decided(
        listing=listed, board_at=at, decision=decision, brings=brings, forbidden=forbidden,
        stands=True,
    )  # fmt: skip


async def run(options: argparse.Namespace) -> None:
    """Look at one store after another, until killed."""
    random = Random()  # noqa: S311
    engine = open_engine(options.database, connections=1)
    patience = Patience(
        queued=timedelta(seconds=1_800 / options.speed),
        unknown=timedelta(seconds=900 / options.speed),
    )
    stores = options.stores.split(",")
    clock = asyncio.get_running_loop().time
    while True:
        for store in stores:
            next_at = clock() + options.round / len(stores)
            decided = await in_transaction(
                engine,
                lambda cursor, store=store: look(  # type: ignore[misc]
                    cursor, options.address, MerchantId(store), random, patience
                ),
            )
            if decided:  # in a transaction of its own, as a crawl does
                await in_transaction(
                    engine,
                    lambda cursor, decided=decided: outbox.write(  # type: ignore[misc]
                        cursor, decided
                    ),
                )
            await asyncio.sleep(max(0.01, next_at - clock()))


def main() -> None:
    """Run the eyes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--stores", required=True)
    parser.add_argument("--speed", type=float, default=60)
    parser.add_argument("--round", type=float, default=6, help="seconds for all stores")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
