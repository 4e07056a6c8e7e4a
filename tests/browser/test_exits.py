"""Exits are judged by what came through them, and not by the browser of this machine."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.crawl.crawling import Workplace
from tests.crawl.market import Market
from tests.transport.forwarding import ForwardProxy, forwarding, refusing


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


def test_users_and_passwords_reach_the_exit_and_nothing_else(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    """Also of an exit that the browser is refused by, at the loudest."""
    word = "t0p-s3cret"
    address = exits[0].address.replace("http://", f"http://agent:{word}@")
    exits[0].manner = refusing(407, times=2)
    ended = workplace.crawl(
        "products",
        {"products": ",".join(list(market.offers)[:2]), "browser": "always"},
        environment={"PROXIES": address},
        settings={"SHORTEST_REST": 0.1, "LOG_LEVEL": "DEBUG", "FIRST_RESTS": "{}"},
    )
    assert ended.code == 0, ended.said
    # Chromium says who it is when it is asked.
    assert exits[0].authorizations - {""} == {"Basic YWdlbnQ6dDBwLXMzY3JldA=="}
    written = [ended.said] + [
        path.read_text(encoding="utf-8", errors="replace")
        for directory in (workplace.data, workplace.exports)
        for path in directory.rglob("*")
        if path.is_file()
    ]
    for text in written:
        for hidden in (word, "agent:", "YWdlbnQ6dDBwLXMzY3JldA"):
            assert hidden not in text
