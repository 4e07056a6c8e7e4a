"""A crawl is judged at its end: the verdict is told, written down, and sent to a webhook."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.crawl import liar as lies
from tests.crawl.conftest import Opener
from tests.crawl.crawling import ROOT, Ended, Workplace, listed
from tests.crawl.liar import Asked, Liar, lying
from tests.crawl.market import ALMATY, Market
from tests.crawl.remembered import row, rows
from tests.crawl.webhook import SECRET, Webhook, listening

SETTINGS = {"HEALTH_LEAST_ITEMS": 10, "HEALTH_LEAST_RUNS": 1, "BLOCKED_IN_A_ROW": 1_000}


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    with listening() as webhook:
        yield webhook


@pytest.fixture(scope="module")
def own_liar(own_market: Market) -> Iterator[Liar]:
    with lying(own_market.address) as liar:
        yield liar


@pytest.fixture(scope="module")
def place(open_workplace: Opener, own_liar: Liar) -> Workplace:
    return open_workplace(own_liar.address)


def crawl(place: Workplace, market: Market, webhook: Webhook, **settings: object) -> Ended:
    products = listed(market.offers)
    return place.crawl(
        "offers",
        {"products": products, "cities": ALMATY},
        settings={**SETTINGS, **settings},
        environment={"ALERT_WEBHOOK_URL": webhook.address},
    )


def verdict(place: Workplace) -> dict[str, Any]:
    """Figures and alarms of the newest run."""
    return row(place.database, "SELECT * FROM runs ORDER BY started_at DESC LIMIT 1")


def alarms(place: Workplace) -> list[str]:
    return sorted(alarm["name"] for alarm in verdict(place)["alarms"])


async def drifted(asked: Asked) -> web.StreamResponse:
    """The true offers, of which each has a new key and lacks one that it always had."""
    answer = await asked.offers()
    for offer in answer["offers"]:
        offer["priceWithCard"] = offer["price"] - 1
        del offer["merchantName"]
    return web.json_response(answer)


async def without_bonus(asked: Asked) -> web.StreamResponse:
    """The true offers, whose delivery class is gone."""
    answer = await asked.offers()
    for offer in answer["offers"]:
        offer.pop("deliveryDuration", None)
    return web.json_response(answer)


def replay(place: Workplace, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "quarantine", *words],
        cwd=ROOT,
        env={**os.environ, **place.environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def story(
    place: Workplace, own_market: Market, own_liar: Liar, webhook: Webhook
) -> dict[str, tuple[Ended, dict[str, Any], list[dict[str, Any]]]]:
    """One crawl after another: each with what it said, its row, and what the webhook heard."""
    told: dict[str, tuple[Ended, dict[str, Any], list[dict[str, Any]]]] = {}

    def tell(name: str, **settings: object) -> None:
        webhook.told.clear()
        ended = crawl(place, own_market, webhook, **settings)
        told[name] = ended, verdict(place), list(webhook.told)

    tell("good")
    own_liar.lie("offers", "*", drifted)
    tell("drifted")
    tell("drifted again")
    own_liar.lies.clear()
    tell("mended")
    own_liar.lie("offers", "*", drifted)
    address, webhook.address = webhook.address, f"http://127.0.0.1:9/{SECRET}"
    tell("drifted anew, and nobody listens")
    webhook.address = address
    webhook.statuses = [500]
    tell("drifted anew, and heard at the second try")
    own_liar.lie("offers", "*", without_bonus)
    tell("a field is gone", HEALTH_ALARMS_FAIL=True)
    own_liar.lie("offers", "*", lies.FORBIDDEN)
    tell("blocked", BLOCKED_IN_A_ROW=4, RETRY_TIMES=0)
    own_liar.lies.clear()
    return told


Story = dict[str, tuple[Ended, dict[str, Any], list[dict[str, Any]]]]


@pytest.mark.parametrize("name", ["good", "mended"])
def test_a_good_crawl_raises_no_alarm_and_nobody_is_told(story: Story, name: str) -> None:
    ended, run, heard = story[name]
    assert ended.code == 0
    assert run["alarms"] == []
    assert heard == []
    assert "Alarm" not in ended.said
    assert run["close_reason"] == "finished"


def test_the_figures_are_those_of_the_crawl(story: Story, own_market: Market) -> None:
    ended, run, _ = story["good"]
    figures = run["figures"]
    assert figures["items"] == ended.figures["read and stored"]
    assert figures["expected"] == len(own_market.offers)
    assert figures["boards"] == figures["items"]
    assert (figures["refused"], figures["unread"], figures["incomplete"]) == (0, 0, 0)
    assert figures["answers"] >= figures["items"]
    assert figures["coverage"]["offer/price"] == 10_000
    assert 0 < figures["coverage"]["offer/pickup_at"] < 10_000


def test_the_json_log_has_coverage_drift_and_alarms(story: Story, place: Workplace) -> None:
    logs = sorted((place.data / "logs" / "offers").glob("*.jsonl"))
    lines = [json.loads(line) for line in logs[1].read_text(encoding="utf-8").splitlines()]
    (figures,) = [line["figures"] for line in lines if "figures" in line]
    assert figures["coverage/offer/price"] == 1.0
    assert figures["drift/offers/unknown/offers[].priceWithCard"] > 0
    assert [line["subject"] for line in lines if line.get("alarm") == "schema_drift"]


def test_an_alarm_alone_does_not_fail_a_crawl(story: Story) -> None:
    assert story["drifted"][0].code == 0


def test_it_does_when_a_setting_says_so(story: Story) -> None:
    ended, run, _ = story["a field is gone"]
    assert ended.code == 1
    assert ended.reason == "finished"
    assert {"coverage_drop", "field_coverage"} <= {alarm["name"] for alarm in run["alarms"]}


def test_a_lost_field_is_named_with_its_source(story: Story) -> None:
    ended, _, _ = story["a field is gone"]
    assert ended.sentences_about("Alarm field_coverage", "offers", "delivery_duration", "0 %")
    assert ended.sentences_about("Alarm coverage_drop", "offers", "delivery_duration", "100 %")


def test_drift_is_told_with_source_key_and_remedy(story: Story) -> None:
    ended, run, _ = story["drifted"]
    (alarm,) = ended.sentences_about("Alarm schema_drift")
    for word in ("offers", "unknown offers[].priceWithCard", "missing offers[].merchantName"):
        assert word in alarm
    assert "scrapy quarantine" in alarm
    assert [one["name"] for one in run["alarms"] if one["name"] == "schema_drift"]


def test_drifted_offers_are_read_right_all_the_same(story: Story) -> None:
    _, good, _ = story["good"]
    _, drifted_run, _ = story["drifted"]
    for figure in ("items", "boards", "incomplete", "unread"):
        assert drifted_run["figures"][figure] == good["figures"][figure]
    assert drifted_run["figures"]["coverage"]["offer/price"] == 10_000


def test_one_answer_of_each_new_format_is_set_aside(story: Story, place: Workplace) -> None:
    kept = sorted((place.data / "quarantine" / "offers").glob("*-drift.json"))
    assert len(kept) == 4  # one a crawl that met it, however many answers had it
    told = json.loads(kept[0].read_text(encoding="utf-8"))
    assert (told["source"], told["status"]) == ("offers", 200)
    assert "unknown offers[].priceWithCard" in told["drifts"]
    assert b"priceWithCard" in kept[0].with_suffix(".body").read_bytes()


def test_what_was_set_aside_can_be_listed_and_replayed(story: Story, place: Workplace) -> None:
    code, listed_answers = replay(place, "list")
    assert code == 0
    assert "unknown offers[].priceWithCard" in listed_answers
    assert "forbidden" in listed_answers
    name = next(line.split("\t")[0] for line in listed_answers.splitlines() if "drift" in line)
    code, said = replay(place, "replay", name)
    assert (code, "reads now" in said) == (0, True)
    code, said = replay(place, "replay", "all")
    assert code == 1
    assert "a refusal, no data in it: forbidden" in said


def test_the_webhook_hears_of_an_alarm_once(story: Story) -> None:
    _, run, heard = story["drifted"]
    (message,) = heard
    assert message["run"] == str(run["id"])
    assert (message["spider"], message["reason"]) == ("offers", "finished")
    assert message["figures"]["items"] == run["figures"]["items"]
    assert "schema_drift" in {alarm["name"] for alarm in message["alarms"]}
    assert "формат ответов изменился" in message["text_ru"]
    assert "another format" in message["text_en"]
    assert story["drifted again"][2] == []


def test_nobody_listening_is_told_in_a_sentence_and_breaks_nothing(story: Story) -> None:
    ended, run, _ = story["drifted anew, and nobody listens"]
    assert ended.code == 0
    assert run["close_reason"] == "finished"
    assert ended.sentences_about("alert of this crawl was not delivered", "ALERT_WEBHOOK_URL")


def test_an_alarm_that_cleared_and_that_nobody_heard_is_told_anew(story: Story) -> None:
    ended, _, heard = story["drifted anew, and heard at the second try"]
    assert len(heard) == 2
    assert not ended.sentences_about("not delivered")


def test_a_blocked_crawl_is_told_of(story: Story) -> None:
    ended, run, heard = story["blocked"]
    assert (ended.code, ended.reason, run["close_reason"]) == (1, "blocked", "blocked")
    (message,) = heard
    closed = [alarm for alarm in message["alarms"] if alarm["name"] == "closed"]
    assert closed[0]["subject"] == "blocked"
    assert "KASPI_DELAY" in closed[0]["remedy"]


def test_the_address_of_the_webhook_stands_nowhere(story: Story, place: Workplace) -> None:
    for ended, run, _ in story.values():
        assert SECRET not in ended.said
        assert SECRET not in str(run)
    for log in (place.data / "logs").rglob("*.jsonl"):
        assert SECRET not in log.read_text(encoding="utf-8")
    assert SECRET not in str(rows(place.database, "SELECT * FROM alerts"))
