"""A replay is the shadow of what was decided live: the same engine, the same memory."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from msgspec.structs import asdict

from domain.identity import MerchantId
from domain.past import Board
from domain.pricing import Action, Decision
from repricer.replay import Contender, Seller, replay
from repricer.spoken import read_rule
from repricer.tariffs import packaged
from storage.past import past_of, remembered
from storage.writer import BatchWriter
from tests.building import ALMATY, KETTLE, START, at, board, offer
from tests.pipelines.leading import OURS, SISTER, have, leading, line

#: Minutes from one reading to the next; a price that was set is seen by then.
PACE = 170
BY: dict[str, Any] = {"cost": 6_000, "ceiling": 12_000, "zone": "city", "max_change_day_bp": 2_000}


def compared(decision: Decision) -> dict[str, Any]:
    """All that a decision says, but for its id and the order of those who are no rivals."""
    said = asdict(decision)
    return {**said, "id": None, "dropped": frozenset(decision.dropped)}


@pytest.mark.parametrize("strategy", ["undercut", "profit", "match"])
async def test_a_shadow_decides_as_the_crawl_did(
    writer: BatchWriter, database: str, strategy: str
) -> None:
    random = Random(strategy)  # noqa: S311
    live: dict[int, dict[str, Any]] = {}
    price = 10_000
    async with leading(database, writer) as pipeline:
        have(database, line(strategy=strategy, **BY), line(store=SISTER, **BY))
        for minutes in range(0, 20 * PACE, PACE):
            others = [
                offer(each, random.choice([40, 8_900, 9_300, 9_900, 10_300, 11_000]))
                for each in ("301", "302", "303", "304", "305", SISTER)
                if random.random() < 0.7
            ]
            found = await pipeline.read(board(offer(OURS, price), *others, minutes=minutes))
            (decided,) = [one for one in found if one.listing.store == OURS]
            live[minutes] = compared(decided.decision)
            if decided.decision.action is Action.SET:
                price = decided.decision.price or price
    by = read_rule(decided.listing.said)
    seller = Seller(
        store=MerchantId(OURS),
        sisters=decided.listing.sisters,
        city=ALMATY,
        lag=timedelta(minutes=PACE),
    )
    with remembered(database) as connection:
        past = past_of(connection, Board(KETTLE, ALMATY), START, at(100 * PACE))
        steps = list(replay(past, [Contender(strategy, by)], seller, packaged()))
    assert len(steps) > 10
    assert len({each["reason"] for each in live.values()}) > 2
    for step in steps:
        (shadow,) = step.tried
        assert shadow.decision is not None
        assert compared(shadow.decision) == live[(step.at - START) // timedelta(minutes=1)]
        assert shadow.spans == step.real.spans
