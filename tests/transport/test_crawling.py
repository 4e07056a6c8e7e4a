"""Crawls through exits: limits that hold across processes, rests, trials, and ways around."""

import json
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from aiohttp import web

from tests.crawl import liar as lies
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Workplace, eventually, listed
from tests.crawl.liar import Asked, lying
from tests.crawl.market import ALMATY, ASTANA, Market
from tests.crawl.outage import away
from tests.transport.forwarding import (
    ForwardProxy,
    banned_after,
    dying,
    forwarding,
    hanging,
    lying_with,
    refusing,
    refusing_for,
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


# --- Limits --------------------------------------------------------------------------------------


def test_limits_hold_across_crawls_on_the_machine(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    """Three crawls at once, two exits with ten questions a second each and a burst of three."""
    two = through(exits[:2], delay=0.1)
    few = {"products": listed(list(market.offers)[:30])}
    with (
        workplace.started("offers", few, environment=two) as one,
        workplace.started("offers", few, environment=two) as other,
        workplace.started("reviews", few, environment=two) as third,
    ):
        ended = [crawl.end() for crawl in (one, other, third)]
    assert [each.code for each in ended] == [0, 0, 0], [each.said for each in ended]
    assert sum(len(each.asked) for each in exits[:2]) >= 3 * 30
    for each in exits[:2]:
        # Ten a second and the burst; one more that was long on its way.
        assert each.most_within(1.0) <= 10 + 3 + 1
        assert each.most_within(2.0) <= 2 * 10 + 3 + 1


@pytest.mark.long
def test_the_exits_together_are_as_fast_as_their_limits_allow(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    """Eight exits at 5 a second: 40 a second in theory, after the burst of three each."""
    cities = {"cities": "almaty,astana,shymkent,karaganda,aktobe,aktau,atyrau,pavlodar"}
    ended = workplace.crawl(
        "offers", {**told(market), **cities}, environment=through(exits, delay=0.2)
    )
    assert ended.code == 0, ended.said
    moments = sorted(moment for each in exits for moment in each.asked)
    steady = moments[3 * len(exits) :]
    assert len(steady) > 250
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 0.95 * 40


@pytest.mark.long
def test_pages_keep_their_own_pace(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    products = {"products": listed(list(market.offers)[:8]), "cities": ALMATY}
    slow = {**through(exits[:2]), "KASPI_PAGE_DELAY": "0.5"}
    ended = workplace.crawl("products", products, environment=slow)
    assert ended.code == 0, ended.said
    pages = [sum(n for path, n in each.paths.items() if "/shop/p/" in path) for each in exits[:2]]
    assert sum(pages) == 8
    assert max(pages) <= 5
    with psycopg.connect(workplace.database) as connection:
        kinds = connection.execute("SELECT DISTINCT kind FROM exits ORDER BY 1").fetchall()
    assert kinds == [("api",), ("page",)]


# --- Exits that fail -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manner", "kind"),
    [
        pytest.param(dying, "no_answer", id="two exits are dead"),
        pytest.param(hanging, "no_answer", id="two exits hang", marks=pytest.mark.long),
        pytest.param(
            refusing(429), "too_many_requests", id="two exits get 429", marks=pytest.mark.long
        ),
        pytest.param(
            refusing(405),
            "method_not_allowed",
            id="two exits are of a data centre",
            marks=pytest.mark.long,
        ),
        pytest.param(refusing(200), "html_instead_of_json", id="two exits lie"),
        pytest.param(
            refusing(407), "proxy_refuses", id="two exits do not know us", marks=pytest.mark.long
        ),
    ],
)
def test_what_some_exits_refuse_others_bring(
    workplace: Workplace, market: Market, exits: list[ForwardProxy], manner: Any, kind: str
) -> None:
    exits[0].manner = exits[1].manner = manner
    ended = workplace.crawl(
        "offers", told(market), environment=through(exits), settings={**SHORT, "SHORTEST_REST": 60}
    )
    assert (ended.code, ended.reason) == (0, "finished"), ended.said
    assert ended.figures["read and stored"] == sold(market)
    for each in exits[:2]:
        assert each.asked[-1] - each.asked[0] <= 2.5, "a resting exit was asked"
        assert ended.sentences_about(each.name, "rests for 60 s", kind)
        held = rows(workplace.database)[each.name]
        assert held["last_refusal"] == kind
        assert held["health"] < 100
        assert held["refused"][kind] == figures(workplace)[f"exits/{each.name}/refused/{kind}"]


def test_an_exit_whose_answers_cannot_be_used_is_gone_around(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    """Its JSON opens and closes as JSON does, so that only the page finds out."""
    exits[0].manner = lying_with('{"offers": [1 2]}')
    ended = workplace.crawl("offers", told(market), environment=through(exits[:2]))
    assert ended.code == 0, ended.said
    assert ended.figures["read and stored"] == sold(market)
    assert ended.sentences_about(exits[0].name, "rests for 60 s", "truncated")
    assert figures(workplace)[f"exits/{exits[0].name}/refused/truncated"] == len(exits[0].asked)


@pytest.mark.long
def test_an_exit_that_is_banned_midway_costs_nothing(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    exits[2].manner = banned_after(2)
    ended = workplace.crawl("offers", told(market), environment=through(exits), settings=SHORT)
    assert ended.code == 0, ended.said
    assert ended.figures["read and stored"] == sold(market)
    assert ended.sentences_about(exits[2].name, "rests", "forbidden")


def test_after_all_exits_rest_the_first_trial_brings_the_crawl_back(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    for each in exits[:4]:
        each.manner = refusing_for(1.0, 429)
    ended = workplace.crawl(
        "offers",
        told(market),
        environment=through(exits[:4], 0.2),
        settings={**SHORT, "SHORTEST_REST": 2},
    )
    assert ended.code == 0, ended.said
    assert ended.figures["read and stored"] == sold(market)
    for each in exits[:4]:
        waits = [later - earlier for earlier, later in pairwise(each.asked)]
        assert 1.9 <= max(waits) <= 2 + 1, "the trial comes when the rest is over"
        assert each.most_within(1.9) <= 3 + 2 * 5 + 1
    assert ended.sentences_about("is tried again")
    assert ended.sentences_about("answers again")


def test_after_a_rest_one_question_tries_and_the_rest_doubles_in_vain(
    workplace: Workplace, market: Market
) -> None:
    """One exit, banned from the start: its trials come alone, further and further apart."""
    with forwarding(1) as (lonely,):
        lonely.manner = refusing(429)
        ended = workplace.crawl(
            "offers", told(market), environment=through([lonely], 1), settings=SHORT
        )
        assert (ended.code, ended.reason) == (1, "blocked")
        (complaint,) = ended.sentences_about("refuses us through every exit")
        assert "too_many_requests" in complaint
        assert "4 trials in vain" in complaint
        assert "scrapy proxies status" in complaint
        assert "Traceback" not in ended.said
        trials = lonely.asked[-4:]
        assert len(lonely.asked) <= 3 + 4, "only the burst and the trials"
        waits = [later - earlier for earlier, later in pairwise(trials)]
        for wait, rest in zip(waits, (0.6, 1.2, 2.4), strict=True):
            assert rest <= wait <= rest + 1.5
    assert rows(workplace.database)[lonely.name]["vain"] == 4


def test_the_time_that_an_answer_asks_for_is_kept(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    exits[0].manner = refusing(429, times=1, Retry_After="3")
    ended = workplace.crawl("offers", told(market), environment=through(exits[:1]), settings=SHORT)
    assert ended.code == 0, ended.said
    longest = max(later - earlier for earlier, later in pairwise(exits[0].asked))
    assert 2.9 <= longest <= 5
    assert ended.sentences_about("rests for 3 s")


def test_without_a_limit_the_time_that_an_answer_asks_for_is_kept_as_well(
    open_workplace: Opener, market: Market
) -> None:
    """On loopback nothing is paced, and the storefront may still ask for a rest."""
    with lying(market.address) as shop:
        moments: list[float] = []

        async def busy(asked: Asked) -> web.StreamResponse:
            moments.append(time.monotonic())
            if len(moments) == 1:
                return await lies.saying("busy", status=429, Retry_After="2")(asked)
            return await lies.honestly(asked)

        shop.lie("offers", "*", busy)
        ended = open_workplace(shop.address).crawl("offers", told(market))
    assert ended.code == 0, ended.said
    assert ended.figures["read and stored"] == sold(market)
    assert max(later - earlier for earlier, later in pairwise(moments)) >= 1.9
    assert ended.sentences_about("direct", "rests for 2 s")


# --- Questions that ask for one exit --------------------------------------------------------------


STICKY: dict[str, object] = {"SPIDER_MODULES": "tests.transport.spiders"}


def test_a_question_that_asks_for_an_exit_waits_for_it(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    exits[1].manner = refusing(429, times=1, Retry_After="1")
    ended = workplace.crawl(
        "sticky",
        told(market),
        environment=through(exits[:3]),
        settings={**STICKY, "STICKY_EXIT": exits[1].name},
    )
    assert ended.code == 0, ended.said
    assert ended.figures["read and stored"] == sold(market)
    assert not exits[0].asked
    assert not exits[2].asked


def test_a_question_that_asks_for_an_exit_that_is_not_there_is_told_so(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    first = next(iter(market.offers))
    ended = workplace.crawl(
        "sticky",
        {"products": first},
        environment=through(exits[:1]),
        settings={**STICKY, "STICKY_EXIT": "10.0.0.1:1"},
    )
    assert ended.sentences_about(f"Product {first}", "there is no exit '10.0.0.1:1'")
    assert not exits[0].asked


# --- Asked to stop while they wait ---------------------------------------------------------------


@pytest.fixture
def waiting(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> Iterator[tuple[Any, ForwardProxy]]:
    """A crawl whose only exit rests for half an hour."""
    exits[0].manner = refusing(429, Retry_After="1700")
    with workplace.started("offers", told(market), environment=through(exits[:1])) as crawl:
        eventually(lambda: exits[0].asked)
        eventually(lambda: rows(workplace.database)[exits[0].name]["resting_until"])
        yield crawl, exits[0]


def test_a_crawl_that_waits_for_an_exit_ends_in_order(
    workplace: Workplace, waiting: tuple[Any, ForwardProxy]
) -> None:
    crawl, _ = waiting
    began = time.monotonic()
    ended: Ended = crawl.end(signal.SIGINT)
    assert (ended.code, ended.reason) == (1, "shutdown")
    assert time.monotonic() - began < 20
    assert "Traceback" not in ended.said
    assert not ended.sentences_about("was not read"), "what was not asked is not complained of"


def test_a_crawl_that_is_killed_while_it_waits_holds_up_nobody(
    workplace: Workplace,
    market: Market,
    waiting: tuple[Any, ForwardProxy],
    exits: list[ForwardProxy],
) -> None:
    crawl, resting = waiting
    asked = len(resting.asked)
    crawl.end(signal.SIGKILL)
    ended = workplace.crawl("offers", told(market), environment=through(exits[:3]))
    assert ended.code == 0, ended.said
    assert ended.figures["read and stored"] == sold(market)
    assert len(resting.asked) == asked, "the rest is remembered across crawls"


# --- Secrets -------------------------------------------------------------------------------------


def test_users_and_passwords_are_sent_and_seen_nowhere(
    workplace: Workplace, market: Market, exits: list[ForwardProxy]
) -> None:
    secret, file = "t0p-s3cret", workplace.directory / "proxies.txt"
    exits[0].manner = refusing(407)
    exits[1].manner = dying
    lines = [each.address.replace("http://", f"http://agent:{secret}@") for each in exits[:4]]
    file.write_text("# ours\n" + "\n".join(lines), encoding="utf-8")
    given = {"PROXIES": f"@{file}", "KASPI_DELAY": "0.01"}
    ended = workplace.crawl(
        "offers", told(market), environment=given, settings={**SHORT, "LOG_LEVEL": "DEBUG"}
    )
    assert ended.code == 0, ended.said
    assert {each for exit_ in exits[:4] for each in exit_.authorizations} == {
        "Basic YWdlbnQ6dDBwLXMzY3JldA=="
    }
    written = [ended.said, json.dumps(figures(workplace)), str(rows(workplace.database))]
    written += [
        path.read_text(encoding="utf-8", errors="replace")
        for directory in (workplace.data, workplace.exports)
        for path in directory.rglob("*")
        if path.is_file()
    ]
    for text in written:
        for hidden in (secret, "agent:", "YWdlbnQ6dDBwLXMzY3JldA"):
            assert hidden not in text


def test_proxies_that_cannot_be_stop_the_crawl_before_it_starts(
    workplace: Workplace, market: Market
) -> None:
    file = workplace.directory / "proxies.txt"
    file.write_text("# ours\nhttp://10.0.0.1:8080\nsocks5://u:s3cret@10.0.0.2:1080\n")
    before = market.asked()
    ended = workplace.crawl("offers", told(market), environment={"PROXIES": f"@{file}"})
    assert ended.code == 2
    assert "proxies.txt, line 3" in ended.said
    assert "SOCKS" in ended.said
    assert "A right one: http://user:password@203.0.113.7:8080" in ended.said
    assert "s3cret" not in ended.said
    assert market.asked() == before


@pytest.mark.long
def test_a_database_that_goes_away_is_waited_for(
    workplace: Workplace, market: Market, exits: list[ForwardProxy], server: str
) -> None:
    with workplace.started("offers", told(market), environment=through(exits[:2], 0.1)) as crawl:
        eventually(lambda: len(exits[0].asked) > 5)
        with away(workplace, server):
            time.sleep(2)
        ended = crawl.end()
    assert (ended.code, ended.reason) == (0, "finished"), ended.said
    assert ended.figures["read and stored"] == sold(market)
