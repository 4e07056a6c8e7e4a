"""How scrapyd is asked, and how its answers are read."""

import json
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from partners.call import Answer
from partners.scrapyd import (
    DaemonRefuses,
    Job,
    JobState,
    Scrapyd,
    read_cancelled,
    read_scheduled,
    read_state,
)

SCRAPYD = Scrapyd(address="http://127.0.0.1:6800/", project="kaspi_crawler")


def answer(said: object, status: int = 200) -> Answer:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Answer(status=status, body=body, address="http://127.0.0.1:6800")


def test_a_job_is_scheduled_under_our_id_with_arguments_settings_and_version() -> None:
    job = Job(
        id="offers-1",
        spider="offers",
        arguments={"cities": "750000000,710000000", "products": "1&2"},
        settings={"LOG_LEVEL": "DEBUG", "KASPI_DELAY": "2"},
        version="9",
    )
    call = SCRAPYD.schedule(job)
    assert (call.method, call.address) == ("POST", "http://127.0.0.1:6800/schedule.json")
    assert parse_qs(call.body.decode()) == {
        "project": ["kaspi_crawler"],
        "spider": ["offers"],
        "jobid": ["offers-1"],
        "_version": ["9"],
        "setting": ["LOG_LEVEL=DEBUG", "KASPI_DELAY=2"],
        "cities": ["750000000,710000000"],
        "products": ["1&2"],
    }


def test_without_a_version_the_latest_is_run() -> None:
    assert b"_version" not in SCRAPYD.schedule(Job(id="1", spider="offers")).body


def test_a_job_is_looked_for_and_cancelled() -> None:
    asked = urlsplit(SCRAPYD.status("offers-1").address)
    assert (asked.path, parse_qs(asked.query)) == (
        "/status.json",
        {"project": ["kaspi_crawler"], "job": ["offers-1"]},
    )
    assert parse_qs(SCRAPYD.cancel("offers-1", "KILL").body.decode())["signal"] == ["KILL"]


def test_the_password_is_sent_and_never_shown() -> None:
    ours = attrs.evolve(SCRAPYD, username="kaspi", password="a:b@c")  # noqa: S106
    assert ours.status("1").headers["Authorization"] == "Basic a2FzcGk6YTpiQGM="
    assert "a:b@c" not in repr(ours)
    assert "Authorization" not in SCRAPYD.status("1").headers


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"status": "ok", "currstate": None}, JobState.UNKNOWN),
        ({"status": "ok", "currstate": "pending"}, JobState.PENDING),
        ({"status": "ok", "currstate": "running"}, JobState.RUNNING),
        ({"status": "ok", "currstate": "finished"}, JobState.FINISHED),
    ],
    ids=["unknown", "pending", "running", "finished"],
)
def test_where_a_job_is(said: dict[str, object], state: JobState) -> None:
    assert read_state(answer(said)) is state


def test_what_was_scheduled_and_cancelled() -> None:
    assert read_scheduled(answer({"status": "ok", "jobid": "offers-1"})) == "offers-1"
    assert read_cancelled(answer({"status": "ok", "prevstate": "running"})) is JobState.RUNNING


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        pytest.param(
            answer(b"Unauthorized", 401), "wants another name or password", id="a wrong password"
        ),
        pytest.param(answer(b"<html>", 404), "is not scrapyd: check SCRAPYD_URL", id="another one"),
        pytest.param(answer([1]), "is not scrapyd", id="a list"),
        pytest.param(
            answer({"status": "error", "message": "spider 'x' not found"}),
            "scrapyd refuses: spider 'x' not found",
            id="an error with status 200",
        ),
        pytest.param(
            answer({"status": "ok", "currstate": "resting"}), "a state 'resting'", id="a new state"
        ),
    ],
)
def test_what_is_no_answer_is_told(said: Answer, complaint: str) -> None:
    with pytest.raises(DaemonRefuses, match=complaint):
        read_state(said)
