"""A market of many stores of ours, with a fast clock: `python -m benchmarks.publishing.market`.

All that the sandbox counts (limits, blocks, sessions, delays) is counted by its own clock, so that
the proportions are the marketplace's own: only everything comes so many times sooner.
"""

import argparse
import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

from domain.identity import MerchantId
from sandbox.seller.seller import Shops
from sandbox.seller.switches import SellerSwitches
from sandbox.server import running
from sandbox.world import World, world

PASSWORD = "a word for storms"  # noqa: S105
#: Seconds between two steps of the clock.
_STEP = 0.02


def largest(market: World, count: int) -> list[MerchantId]:
    """The merchants with most offers."""
    counted = Counter(
        seat.merchant.id
        for boards in market.boards.values()
        for board in boards.values()
        for seat in board.seats
    )
    return [merchant for merchant, _ in counted.most_common(count)]


async def run(options: argparse.Namespace) -> None:
    """Serve until killed; the address and the stores go into a file."""
    market = world(seed=11, products=options.products)
    stores = largest(market, options.stores)
    switches = SellerSwitches(
        clock="sandbox",
        changes_per_window=250,
        lost=0.01,
        delayed=0.01,
        delayed_seconds=2_400,
        partial=0.02,
    )
    shops = Shops(stores=[[one] for one in stores], password=PASSWORD, switches=switches)
    async with running(market, shops=shops) as address:
        told = {"address": address, "stores": stores}
        unfinished = options.told.with_suffix(".part")
        unfinished.write_text(json.dumps(told), encoding="utf-8")
        unfinished.replace(options.told)
        await _keep_time(market, options.speed)


async def _keep_time(market: World, speed: float) -> None:
    clock = asyncio.get_running_loop().time
    began, at = clock(), market.now
    while True:
        await asyncio.sleep(_STEP)
        market.run_on(at + timedelta(seconds=(clock() - began) * speed))


def main() -> None:
    """Run the market."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--products", type=int, default=120)
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--speed", type=float, default=60)
    parser.add_argument("--told", type=Path, required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
