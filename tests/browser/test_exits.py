"""Exits are judged by what came through them, and not by the browser of this machine."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.crawl.crawling import Workplace
from tests.crawl.market import Market
from tests.transport.forwarding import ForwardProxy, forwarding


@pytest.fixture
def exits() -> Iterator[list[ForwardProxy]]:
    """An exit that does nothing wrong."""
    with forwarding(1) as proxies:
        yield proxies


def test_a_browser_that_does_not_start_rests_no_exit(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    ended = workplace.crawl(
        "products",
        {"products": ",".join(list(market.offers)[:4]), "browser": "always"},
        environment={"PROXIES": exits[0].address, "CHROMIUM": "/bin/false"},
        settings={"SHORTEST_REST": 0.3, "RETRY_TIMES": 1},
    )
    assert ended.reason == "finished", ended.said
    with psycopg.connect(workplace.database) as connection:
        told = connection.execute("SELECT refused, rests, health FROM exits").fetchall()
    assert told == [({}, 0, 100)]
