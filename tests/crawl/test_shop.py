"""`scrapy crawl shop`: signed in once, read whole, and never more believed than was shown."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from partners.kaspi.cabinet_login import Account
from tests.crawl.conftest import Opener
from tests.crawl.counter import EMAIL, PASSWORD, PHONE, WRONG, Counter, held, trading, truth
from tests.crawl.crawling import eventually
from tests.crawl.market import ALMATY, Market

BY_PHONE = Account(phone=PHONE)


def test_all_goods_are_read_as_the_cabinet_holds_them_and_twice_changes_nothing(
    counter: Counter,
) -> None:
    begun = counter.begun()
    first = counter.crawl()
    assert (first.code, first.reason) == (0, "finished"), first.said
    assert held(counter) == truth(counter)
    assert len(held(counter)) > 10
    assert {one["on_sale"] for one in held(counter).values()} == {True, False}
    assert {row["kaspi_id"] for row in counter.rows("SELECT kaspi_id FROM work_list")} == {
        row["kaspi_id"] for row in counter.rows("SELECT kaspi_id FROM listings")
    }
    kinds = [line["kind"] for line in counter.place.lines("shop")]
    assert (kinds[0], kinds[-1]) == ("shop", "shop_read")
    changed = counter.rows("SELECT id, changed_at FROM listings ORDER BY id")
    again = counter.crawl()
    assert again.code == 0, again.said
    assert counter.rows("SELECT id, changed_at FROM listings ORDER BY id") == changed
    assert counter.begun() == begun + 1


@pytest.mark.parametrize(
    ("account", "kind", "sent_to"),
    [
        pytest.param(None, "mail", "use***@example.kz", id="by mail"),
        pytest.param(BY_PHONE, "sms", PHONE, id="by SMS"),
    ],
)
def test_a_code_comes_from_the_command(
    counter: Counter, tmp_path: Path, account: Account | None, kind: str, sent_to: str
) -> None:
    counter.calm(mail_code=True)
    counter.keep(account)
    letters = counter.letters()
    ended = counter.crawl({"goods": "no"}, counter.with_postman(tmp_path))
    assert ended.reason == "finished", ended.said
    told = json.loads((tmp_path / "told").read_text())
    assert told == [counter.store, kind, sent_to, None]
    assert counter.letters() == letters + 1


def test_no_secret_stands_in_any_log(counter: Counter, tmp_path: Path) -> None:
    counter.calm(mail_code=True)
    ended = counter.crawl(None, counter.with_postman(tmp_path), settings={"LOG_LEVEL": "DEBUG"})
    assert ended.reason == "finished", ended.said
    logs = [path.read_text() for path in counter.place.data.rglob("*.jsonl")]
    everything = "\n".join([ended.said, *logs])
    code = counter.ask("seller/mailbox")[-1]["code"]
    session = counter.cookies().partition("mc-sid=")[2].partition(";")[0]
    assert "bff/offer-view/list" in everything
    assert not [secret for secret in (PASSWORD, code, session, "code=") if secret in everything]
    assert "MS_AUTH_SSO" not in counter.cookies()
    assert "uploadedBy" not in everything


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param({}, id="which 401 says"),
        pytest.param({"gone_session": "redirect"}, id="which a redirection says"),
    ],
)
def test_a_session_that_ends_in_the_middle_is_renewed_once(
    counter: Counter, switches: dict[str, object]
) -> None:
    counter.calm(**switches)
    counter.ask("faults", {"script": [{"kind": "signed_out", "path": "cabinet", "after": 3}]})
    begun = counter.begun()
    ended = counter.crawl()
    assert ended.reason == "finished", ended.said
    assert counter.begun() == begun + 2
    assert held(counter) == truth(counter)


def test_a_session_that_is_refused_as_soon_as_it_begins_shuts_the_cabinet(
    counter: Counter,
) -> None:
    counter.ask(
        "faults",
        {"script": [{"kind": "signed_out", "path": "cabinet", "after": well} for well in (2, 4)]},
    )
    ended = counter.crawl()
    assert (ended.code, ended.reason) == (1, "signed_out"), ended.said
    assert "new session is refused all the same" in counter.account()["failure"]
    assert counter.account()["session"] is None
    [alarm] = ended.sentences_about("Alarm signed_out")
    assert counter.store in alarm


def test_a_flood_is_waited_out(counter: Counter, tmp_path: Path) -> None:
    counter.calm(mail_code=True)
    postman = counter.with_postman(tmp_path)
    assert counter.crawl({"goods": "no"}, postman).reason == "finished"
    counter.calm(mail_code=True, code_pause=600)
    letters = counter.letters()
    ended = counter.crawl(None, postman)
    assert ended.reason == "signed_out", ended.said
    assert ended.sentences_about("too many codes", "s are to be waited")
    again = counter.crawl(None, postman)
    assert again.reason == "signed_out", again.said
    assert counter.letters() == letters
    [rest] = counter.rows("SELECT rests_until - failed_at AS rest FROM cabinet_accounts")
    assert 500 < rest["rest"].total_seconds() <= 600


def test_a_wrong_password_is_tried_once_a_day(counter: Counter) -> None:
    counter.keep(WRONG)
    ended = counter.crawl()
    assert (ended.code, ended.reason) == (1, "signed_out"), ended.said
    assert ended.sentences_about("Say the right ones: scrapy shop add")
    assert WRONG.password not in ended.said
    counter.ask("faults", {"random": {"server_error": 1.0}})
    again = counter.crawl()
    assert again.sentences_about("Say the right ones")
    assert not again.sentences_about("502")
    counter.calm()
    counter.keep()
    assert counter.crawl({"goods": "no"}).reason == "finished"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param("forbidden", ["403", "proxy"], id="403"),
        pytest.param("no_certificate", ["526", "in trouble"], id="526"),
        pytest.param("reset", ["no answer came"], id="nothing"),
    ],
)
def test_a_login_that_gets_no_answer_says_what_it_got(
    counter: Counter, fault: str, words: list[str]
) -> None:
    script = [{"kind": fault, "path": "login", "times": 99}]
    counter.ask("faults", {"script": script})
    ended = counter.crawl({"goods": "no"}, settings=SOON)
    assert ended.reason == "signed_out", ended.said
    assert not [word for word in words if word not in counter.account()["failure"]]


#: The pauses between two tries of a sign-in, without their length.
SOON = {"SIGN_IN_PAUSE": 0.1}


@pytest.mark.parametrize("fault", ["no_certificate", "server_error", "too_many_requests", "reset"])
def test_a_sign_in_is_tried_again_when_the_marketplace_was_away(
    counter: Counter, fault: str
) -> None:
    """The third step of the walk is the password, which Scrapy sends once whatever comes of it."""
    counter.ask("faults", {"script": [{"kind": fault, "path": "login", "after": 3}]})
    begun = counter.begun()
    ended = counter.crawl(settings=SOON)
    assert ended.reason == "finished", ended.said
    assert len(ended.sentences_about("No sign-in", "tried again in")) == 1
    assert not ended.sentences_about("Alarm signed_out")
    assert counter.begun() == begun + 1
    assert counter.account()["failure"] is None
    assert held(counter) == truth(counter)


def test_no_more_than_three_times_in_a_row(counter: Counter) -> None:
    counter.ask("faults", {"script": [{"kind": "reset", "path": "login", "times": 999}]})
    ended = counter.crawl({"goods": "no"}, settings=SOON)
    assert ended.reason == "signed_out", ended.said
    assert len(ended.sentences_about("No sign-in", "tried again in")) == 2
    counter.calm()
    counter.ask("faults", {})
    assert counter.crawl({"goods": "no"}).reason == "finished", "and the next crawl does not wait"


@pytest.mark.parametrize(
    ("account", "fault"),
    [
        pytest.param(WRONG, None, id="a wrong password"),
        pytest.param(None, "forbidden", id="an address that is refused"),
    ],
)
def test_what_is_refused_is_not_tried_again(
    counter: Counter, account: Account | None, fault: str | None
) -> None:
    counter.keep(account)
    if fault:
        counter.ask("faults", {"script": [{"kind": fault, "path": "login", "times": 99}]})
    ended = counter.crawl({"goods": "no"}, settings=SOON)
    assert ended.reason == "signed_out", ended.said
    assert not ended.sentences_about("tried again in")


def test_a_crawl_that_is_stopped_between_two_tries_ends_and_blames_nobody(
    counter: Counter,
) -> None:
    counter.ask("faults", {"script": [{"kind": "reset", "path": "login", "times": 999}]})
    with counter.place.started("shop", environment=counter.environment) as crawl:
        eventually(lambda: logged(counter, "tried again in 60 s"))
        ended = crawl.end(signal.SIGTERM)
    assert ended.reason == "shutdown", ended.said
    assert counter.account()["failure"] is None


def logged(counter: Counter, words: str) -> bool:
    return any(words in path.read_text() for path in counter.place.data.rglob("*.jsonl"))


def test_a_code_that_nobody_says_shuts_the_cabinet_with_a_way_out(counter: Counter) -> None:
    counter.calm(mail_code=True)
    ended = counter.crawl({"goods": "no"})
    assert ended.reason == "signed_out", ended.said
    assert ended.sentences_about("use***@example.kz", "nobody to type it", "KASPI_CODE_COMMAND")


def test_a_page_in_place_of_the_list_is_asked_again_and_then_concludes_nothing(
    counter: Counter,
) -> None:
    script = {"kind": "html_for_json", "path": "cabinet"}
    counter.ask("faults", {"script": [{**script, "after": 2}]})
    ended = counter.crawl()
    assert ended.sentences_about("was read whole"), ended.said
    counter.ask("faults", {"script": [{**script, "after": 1, "times": 99}]})
    ended = counter.crawl()
    assert ended.sentences_about("was not read whole"), ended.said
    assert held(counter) == truth(counter)


def test_two_processes_at_once_sign_in_once(counter: Counter, tmp_path: Path) -> None:
    counter.calm(mail_code=True)
    begun, letters = counter.begun(), counter.letters()
    around = {**counter.environment, **counter.with_postman(tmp_path)}
    with (
        counter.place.started("shop", environment=around) as one,
        counter.place.started("shop", environment=around) as other,
    ):
        endings = [one.end(), other.end()]
    assert [ended.reason for ended in endings] == ["finished", "finished"], endings
    assert (counter.begun(), counter.letters()) == (begun + 1, letters + 1)
    assert held(counter) == truth(counter)


def test_a_crawl_killed_while_it_signs_in_holds_up_nobody(counter: Counter, tmp_path: Path) -> None:
    counter.calm(mail_code=True)
    letters = counter.letters()
    slow = {**counter.environment, "KASPI_CODE_COMMAND": "sh -c 'exec sleep 60 2>&1'"}
    with counter.place.started("shop", environment=slow) as crawl:
        eventually(lambda: counter.letters() > letters)
        crawl.end(signal.SIGKILL)
    ended = counter.crawl(None, counter.with_postman(tmp_path))
    assert ended.reason == "finished", ended.said
    assert held(counter) == truth(counter)


def test_a_crawl_that_is_stopped_while_it_waits_for_a_code_ends_and_blames_nobody(
    counter: Counter,
) -> None:
    counter.calm(mail_code=True)
    letters = counter.letters()
    slow = {**counter.environment, "KASPI_CODE_COMMAND": "sleep 60"}
    with counter.place.started("shop", environment=slow) as crawl:
        eventually(lambda: counter.letters() > letters)
        ended = crawl.end(signal.SIGTERM)
    assert ended.reason == "shutdown", ended.said
    assert counter.account()["failure"] is None


def test_an_account_that_does_not_see_the_store_is_said(counter: Counter) -> None:
    counter.keep(None, "1234567")
    ended = counter.crawl({"stores": "1234567"})
    assert ended.reason == "signed_out", ended.said
    assert ended.sentences_about(f"the account sees {counter.store}")


def test_replicas_and_the_real_cabinet_are_not_mixed(counter: Counter) -> None:
    real = {"MC_URL": "https://mc.shop.kaspi.kz"}
    with counter.place.started("shop", environment={**counter.environment, **real}) as crawl:
        ended = crawl.end()
    assert ended.code == 2
    assert "would be mixed" in ended.said


def test_a_password_that_is_forgotten_leaves_a_session_and_a_way_back(
    counter: Counter, tmp_path: Path
) -> None:
    counter.calm(mail_code=True)
    opens = {"KASPI_SHOP_EMAIL": EMAIL, "KASPI_SHOP_PASSWORD": PASSWORD}
    around = {**opens, **counter.with_postman(tmp_path)}
    told = counter.type("add", counter.store, "--forget-password", environment=around)
    assert told.startswith("0\n"), told
    assert f"{counter.store}: signed in" in told
    assert counter.account()["credentials"] is None
    assert counter.crawl().reason == "finished"
    counter.ask("seller/expire", {})
    ended = counter.crawl()
    assert ended.reason == "signed_out", ended.said
    assert ended.sentences_about("its password is not kept", "scrapy shop add")


def test_a_person_who_says_login_does_not_wait_for_a_rest(counter: Counter) -> None:
    counter.ask("faults", {"script": [{"kind": "forbidden", "path": "login", "times": 9}]})
    told = counter.type("login", counter.store)
    assert told.startswith("1\n"), told
    assert "/oauth2/authorization/1 answers 403" in told
    counter.ask("faults", {})
    assert counter.crawl().reason == "signed_out", "it rests for a minute"
    told = counter.type("login", counter.store)
    assert told == f"0\n{counter.store}: signed in\n"


def test_stores_of_one_account_sign_in_once_each_through_an_exit_of_its_own(
    shop_market: Market, tmp_path: Path, open_workplace: Opener
) -> None:
    product = next(iter(shop_market.offers))
    merchants = sorted(shop_market.ledger(product, ALMATY))[:2]
    with trading(tmp_path, 60, f"--shop={','.join(merchants)}", "--exits=5") as market:
        counter = Counter(market=market, place=open_workplace(market.address))
        counter.calm(mail_code=True)
        counter.keep(None, *merchants)
        proxies = ",".join(one["proxy"] for one in counter.ask("exits"))
        ended = counter.crawl(None, {**counter.with_postman(tmp_path), "PROXIES": proxies})
        assert ended.reason == "finished", ended.said
        assert len(ended.sentences_about("was read whole")) == 2
        assert (counter.begun(), counter.letters()) == (1, 1)
        used = counter.rows("SELECT kind, answered FROM exits WHERE answered > 0")
    assert {one["kind"] for one in used} == {"cabinet"}
    assert len(used) <= 2


def test_dozens_of_stores_leave_the_database_connections_for_others(
    shop_market: Market, tmp_path: Path, open_workplace: Opener
) -> None:
    """Who waits for another one's sign-in holds a connection, and needs a second one after it."""
    sellers = {one for product in shop_market.offers for one in shop_market.ledger(product, ALMATY)}
    merchants = sorted(sellers)[:24]
    with trading(tmp_path, 60, f"--shop={','.join(merchants)}") as market:
        counter = Counter(market=market, place=open_workplace(market.address))
        counter.calm()
        counter.keep(None, *merchants)
        with few_connections(counter.place.database, 20):
            ended = counter.crawl({"goods": "no"}, settings={"STORE_PATIENCE": 5})
    assert (ended.code, ended.reason) == (0, "finished"), ended.said
    assert len(ended.sentences_about("is accepted")) == len(merchants)


@contextmanager
def few_connections(database: str, most: int) -> Iterator[None]:
    """Let the database take so few connections at once."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    limit = SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(limit.format(Identifier(str(name)), Literal(most)))
        try:
            yield
        finally:
            connection.execute(limit.format(Identifier(str(name)), Literal(-1)))
