"""None lost, none doubled: runs while scrapyd, the timetable and PostgreSQL are killed."""

import random
import sys
import time
from collections.abc import Callable

import psycopg
import pytest

from storage.timetable import ask_now
from tests.deployment.daemon import until
from tests.timetable.station import Station, station

#: Each tick with the crawls that its jobs began: of all attempts, by the part that they share.
_TICKS = """
SELECT ticks.job_id, ticks.entry, ticks.outcome, ticks.attempt,
       count(runs.id) FILTER (WHERE runs.close_reason = 'finished') AS finished,
       count(runs.id) FILTER (WHERE runs.close_reason IS NULL) AS without_end
FROM timetable_ticks AS ticks
LEFT JOIN runs ON regexp_replace(runs.job_id, '-\\d+$', '')
    = regexp_replace(ticks.job_id, '-\\d+$', '')
GROUP BY ticks.id
ORDER BY ticks.id
"""
_AT_ONCE = """
SELECT one.job_id, another.job_id AS other
FROM runs AS one
JOIN runs AS another ON another.entry = one.entry AND another.id <> one.id
    AND another.started_at >= one.started_at AND another.started_at < one.finished_at
"""
_ENDS = "SELECT close_reason, count(*) FROM runs GROUP BY 1 ORDER BY 1"
_JOBS = "SELECT entry, count(*), sum(attempt) AS jobs FROM timetable_ticks GROUP BY 1 ORDER BY 1"


def begin(work: Station, products: list[str], entries: int, delay: str) -> list[str]:
    """Open a station with so many entries of four boards each, and seconds between two of them."""
    names = [f"shop-{number}" for number in range(entries)]
    for name in names:
        settings = {"LATEST_EXPORTS": "False", "DOWNLOAD_DELAY": delay}
        work.add(name, settings=settings, products=",".join(products))
    work.start("daemon")
    work.start("timetable")
    return names


def ask(work: Station, name: str) -> None:
    """Ask for a run as often as the dying database makes necessary."""
    while True:
        try:
            ask_now(work.address(), name)
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return


def killers(work: Station) -> dict[str, Callable[[], None]]:
    """What may die; scrapyd and the timetable are started again by who watches them."""

    def restart(name: str) -> None:
        work.kill(name)
        work.start(name)

    return {
        "scrapyd": lambda: restart("daemon"),
        "timetable": lambda: restart("timetable"),
        "postgresql": work.kill_database,
        "crawl": work.kill_crawl,
    }


def assert_each_ran_once(work: Station, at_least: int) -> None:
    ticks = work.rows(_TICKS)
    assert len(ticks) >= at_least
    wrong = [
        tick
        for tick in ticks
        if (tick["outcome"], tick["finished"], tick["without_end"]) != ("finished", 1, 0)
    ]
    assert not wrong, f"{wrong}\n{work.said('timetable')}"
    assert work.rows(_AT_ONCE) == []


def test_each_of_six_runs_is_done_once_while_everything_is_killed(
    shop: str, products: list[str]
) -> None:
    with station(shop) as work:
        names = begin(work, products, 3, "0.1")
        for name in names * 2:
            ask(work, name)
        until(lambda: bool(work.crawls()), "the first crawl runs")
        for killed in killers(work).values():
            killed()
            time.sleep(1.0)
        until(work.is_idle, "all ticks have an outcome")
        assert_each_ran_once(work, at_least=6)


@pytest.mark.long
def test_each_of_fifty_runs_is_done_once_while_everything_is_killed_again_and_again(
    shop: str, products: list[str]
) -> None:
    chance = random.Random(50)  # noqa: S311
    with station(shop) as work:
        names = begin(work, products[:2], 5, "0.5")
        work.add("clock", schedule="* * * * * */20", products=products[0])
        for name in names * 10:
            ask(work, name)
        deaths = dict.fromkeys(killers(work), 0)
        # After each run that is done, and often enough to be met while it opens, too.
        for done in range(1, 51):
            until(lambda done=done: work.done() >= done, f"{done} runs are done")  # type: ignore[misc]
            death = list(deaths)[done % 4] if done % 8 < 4 else chance.choice(list(deaths))
            deaths[death] += 1
            killers(work)[death]()
            time.sleep(chance.uniform(0.0, 2.0))
        work.rows("UPDATE timetable SET paused = true WHERE name = 'clock' RETURNING 1")
        until(work.is_idle, "all ticks have an outcome")
        sys.stdout.write(f"{deaths}\n{work.rows(_ENDS)}\n{work.rows(_JOBS)}\n")
        assert min(deaths.values()) > 3
        assert_each_ran_once(work, at_least=50)
