"""The whole, for real: scrapyd with a password, a keeper, crawls that are killed, orderly ends."""

import re
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from storage.timetable import ask_now, history
from tests.deployment.daemon import until
from tests.timetable.station import Station, station


@pytest.fixture(scope="module")
def work(shop: str, products: list[str]) -> Iterator[Station]:
    """A station with scrapyd and keeper, and an entry of its own."""
    with station(shop, TIMETABLE_GRACE="2") as opened:
        slowly = {"DOWNLOAD_DELAY": "0.5", "LATEST_EXPORTS": "False", "PULSE_SECONDS": "0.1"}
        opened.add("slow", settings=slowly, products=",".join(products[:3]))
        opened.add("wrong", products="nonsense")
        opened.start("daemon")
        opened.start("timetable")
        until(lambda: "is kept" in opened.said("timetable"), "the keeper is at work")
        yield opened


def outcome(work: Station, name: str) -> str | None:
    return history(work.address(), name)[0].outcome


def run_of(work: Station, name: str) -> list[tuple[str, str | None]]:
    rows = work.rows("SELECT job_id, close_reason FROM runs WHERE entry = %s ORDER BY 1", name)
    return [(row["job_id"].rpartition("-")[2], row["close_reason"]) for row in rows]


def test_a_killed_crawl_is_lost_and_its_tick_is_carried_out_by_another(work: Station) -> None:
    said = work.type("timetable", "run-now", "slow")
    assert re.fullmatch(
        r"slow-\S+Z-1 is started as soon as nothing else of slow runs\n", said.stdout
    )
    until(lambda: run_of(work, "slow") == [("1", None)], "the crawl has begun")
    work.kill_crawl()
    until(lambda: outcome(work, "slow") is not None, "the tick has its outcome")
    assert run_of(work, "slow") == [("1", "lost"), ("2", "finished")]
    assert outcome(work, "slow") == "finished"
    assert "was killed: its process is gone and left no end" in work.said("timetable")
    (finished,) = work.rows("SELECT answers FROM runs WHERE close_reason = 'finished'")
    assert finished["answers"] > 0


def test_a_job_that_has_begun_does_not_begin_again_whoever_starts_it(work: Station) -> None:
    before = run_of(work, "slow")
    for tick in history(work.address(), "slow"):
        again = work.type("crawl", "offers", "-a", f"_job={tick.job_id}")
        assert again.returncode == 2
        assert again.stderr.startswith(
            f"scrapy crawl: job {tick.job_id} of the timetable has begun"
        )
    assert run_of(work, "slow") == before


def test_a_job_that_cannot_begin_is_told(work: Station) -> None:
    work.rows("UPDATE timetable SET lateness = '5 seconds' WHERE name = 'wrong' RETURNING 1")
    ask_now(work.address(), "wrong")
    until(lambda: outcome(work, "wrong") is not None, "the tick has its outcome")
    assert outcome(work, "wrong") in ("not_begun", "missed")
    assert run_of(work, "wrong") == []
    listed = work.type("timetable", "history", "wrong").stdout
    assert "ended before its crawl began: scrapyd's own log says why" in listed
    assert "nonsense" in work.said("daemon")


def test_a_second_keeper_is_refused_in_a_sentence(work: Station) -> None:
    second = work.type("timetable", "run")
    assert second.returncode == 2
    assert "scrapy timetable: another `scrapy timetable run` carries" in second.stderr
    assert "Traceback" not in second.stderr


def test_scrapyd_hears_nobody_without_the_password_and_no_log_tells_it(work: Station) -> None:
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"http://127.0.0.1:{work.environ['SCRAPYD_HTTP_PORT']}/listjobs.json", timeout=30)
    password = (work.home / ".data/scrapyd/password").read_text(encoding="ascii").strip()
    assert password not in work.said("daemon") + work.said("timetable")


def test_a_keeper_that_is_asked_to_end_ends_in_order_and_the_next_goes_on(work: Station) -> None:
    ask_now(work.address(), "slow")
    until(lambda: run_of(work, "slow")[-1][1] is None, "a crawl has begun")
    assert work.end("timetable") == 0
    assert "Stopped; what scrapyd runs goes on" in work.said("timetable")
    assert "Traceback" not in work.said("timetable")
    assert outcome(work, "slow") is None
    said = work.type("timetable", "run-now", "slow").stdout
    assert "waits: nobody carries the timetable out" in said
    work.start("timetable")
    until(work.is_idle, "both ticks have their outcomes")
    assert [tick.outcome for tick in history(work.address(), "slow")] == ["finished"] * 3
