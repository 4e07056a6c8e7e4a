"""Crawls through exits: limits that hold across processes, rests, trials, and ways around."""

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.crawl.crawling import Ended, Workplace, eventually, listed
from tests.crawl.market import ALMATY, ASTANA, Market
from tests.transport.forwarding import (
    ForwardProxy,
    banned_after,
    dying,
    forwarding,
    hanging,
    refusing,
)

#: Rests short enough for a test; as in the field they double after a trial in vain.
SHORT: dict[str, object] = {"SHORTEST_REST": 0.3, "FIRST_RESTS": "{}", "DOWNLOAD_TIMEOUT": 2}


def told(market: Market, cities: int = 1) -> dict[str, str]:
    return {"products": listed(market.offers), "cities": ",".join((ALMATY, ASTANA)[:cities])}


def through(exits: list[ForwardProxy], delay: float = 0.02) -> dict[str, str]:
    return {"PROXIES": listed(each.address for each in exits), "KASPI_DELAY": str(delay)}


def sold(market: Market, cities: int = 1) -> int:
    """How many boards are stored: one without a seller of a product that is not known is not."""
    return sum(
        bool(board) for card in market.offers.values() for board in list(card.values())[:cities]
    )


def figures(workplace: Workplace) -> dict[str, Any]:
    """The statistics of the newest crawl, from its JSON log."""
    (path,) = sorted((workplace.data / "logs" / "offers").glob("*.jsonl"))[-1:]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found: dict[str, Any] = next(line["figures"] for line in lines if "figures" in line)
    return found


def rows(database: str) -> dict[str, dict[str, Any]]:
    """The exits of the offers' host, by name."""
    with psycopg.connect(database, row_factory=psycopg.rows.dict_row) as connection:
        found = connection.execute("SELECT * FROM exits WHERE kind = 'api'").fetchall()
    return {row["name"]: row for row in found}


def test_everything_is_read_through_the_exits_and_nothing_past_them(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    ended = workplace.crawl("offers", told(market), environment=through(exits))
    assert (ended.code, ended.reason) == (0, "finished"), ended.said
    assert ended.figures["read and stored"] == sold(market)
    assert all(each.passed_on for each in exits)
    told_of = figures(workplace)
    for each in exits:
        assert told_of[f"exits/{each.name}/answered"] == each.passed_on
        assert rows(workplace.database)[each.name]["answered"] == each.passed_on
