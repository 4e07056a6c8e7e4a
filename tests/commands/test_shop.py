"""`scrapy shop`: what opens our cabinets is kept where nobody reads it."""

import io
import sys

import psycopg
import pytest
from cryptography.fernet import Fernet

from domain.identity import MerchantId
from kaspi_crawler.cabinet.doors import account_of
from partners.kaspi.cabinet_login import Account
from storage import accounts
from tests.commands.console import Console

STORE = "30000001"
PASSWORD = "s3cret"  # noqa: S105
KEY = Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, and nobody's account in the environment."""
    for name in ("EMAIL", "PASSWORD", "PHONE"):
        monkeypatch.delenv(f"KASPI_SHOP_{name}", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def shop(console: Console, database: str) -> Console:
    """A console over an empty database, with a key."""
    here = "http://127.0.0.1:9"
    return console.having(
        KASPI_URL=here, MC_URL=here, IDMC_URL=here, DATABASE_URL=database, KASPI_SECRET_KEY=KEY
    )


@pytest.fixture
def known(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account in the environment."""
    monkeypatch.setenv("KASPI_SHOP_EMAIL", "user@example.kz")
    monkeypatch.setenv("KASPI_SHOP_PASSWORD", PASSWORD)


def kept(database: str) -> Account:
    [one] = accounts.kept(database)
    return account_of(one.opened(KEY) or "")


@pytest.mark.usefixtures("known")
def test_an_account_is_kept_encrypted_shown_and_forgotten(
    shop: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.type_here("shop", "list") == 0
    assert shop.type_here("shop", "add", STORE) == 0
    assert shop.type_here("shop", "list") == 0
    with psycopg.connect(database) as connection:
        held = str(connection.execute("SELECT * FROM cabinet_accounts").fetchall())
    assert kept(database) == Account(email="user@example.kz", password=PASSWORD)
    assert shop.type_here("shop", "remove", STORE) == 0
    assert shop.type_here("shop", "remove", STORE) == 1
    told = "".join(capsys.readouterr())
    assert "no store has an account: the cabinet is asked nothing" in told
    assert f"{STORE}\t\tuse***@example.kz\t-\tnot signed in yet" in told
    assert not [secret for secret in (PASSWORD, "user@example") if secret in told + held]


@pytest.mark.parametrize("written", ["87000000000", "+7 (700) 000-00-00", "700 000 00 00"])
def test_a_phone_is_kept_as_the_site_writes_it(
    shop: Console, database: str, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("KASPI_SHOP_PHONE", written)
    assert shop.type_here("shop", "add", STORE) == 0
    assert kept(database) == Account(phone="+7 (700) 000-00-00")


@pytest.mark.usefixtures("known")
def test_another_account_forgets_the_session_of_the_old_one(shop: Console, database: str) -> None:
    assert shop.type_here("shop", "add", STORE) == 0
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE cabinet_accounts SET session = 'x', failure = 'wrong'")
    assert shop.type_here("shop", "add", STORE) == 0
    [one] = accounts.kept(database)
    assert (one.session, one.failure) == (None, None)


@pytest.mark.usefixtures("known")
def test_why_a_cabinet_is_shut_is_shown(
    shop: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.type_here("shop", "add", STORE) == 0
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE cabinet_accounts SET failed_at = now(), failure = 'too many codes',"
            " rests_until = '2100-01-01 12:00+05'"
        )
    assert shop.type_here("shop", "list") == 0
    told = capsys.readouterr().out
    assert "signed out: too many codes (no sign-in until 2100-01-01 12:00)" in told


def test_articles_are_resumed(
    shop: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO stores (id) VALUES (%s)", [STORE])
        connection.execute(
            "INSERT INTO listings (store_id, sku, kaspi_id, paused_at, paused_why)"
            " VALUES (%s, 'A1', '1', now(), 'vanished')",
            [STORE],
        )
    assert shop.type_here("shop", "resume", STORE, "A1") == 0
    assert shop.type_here("shop", "resume", STORE, "A1") == 1
    assert "1 of 1 articles were resumed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        pytest.param([], {}, "say what to do: scrapy shop add|login", id="no verb"),
        pytest.param(["add"], {}, "add: name our stores", id="no store"),
        pytest.param(["add", "?"], {}, "names no merchant", id="no store's number"),
        pytest.param(["add", STORE], {}, "set KASPI_SHOP_EMAIL", id="nobody to ask"),
        pytest.param(["add", STORE], {"EMAIL": "user"}, "no e-mail", id="no e-mail"),
        pytest.param(["add", STORE], {"EMAIL": "a@b.kz"}, "set KASPI_SHOP_PASSWORD",
                     id="no password"),
        pytest.param(["add", STORE, "--phone"], {"PHONE": "12"}, "no phone", id="no phone"),
        pytest.param(["login", STORE], {}, f"{STORE} has no account here", id="not added"),
        pytest.param(["list", "x"], {}, "list takes no 'x'", id="too much"),
        pytest.param(["resume", STORE], {}, "name the store and the articles", id="no article"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_answered_with_a_right_one(
    shop: Console,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    words: list[str],
    environment: dict[str, str],
    said: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"KASPI_SHOP_{name}", value)
    assert shop.type_here("shop", *words) == 2
    told = "".join(capsys.readouterr())
    assert said in told
    assert not [value for value in environment.values() if f" {value} " in told]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"KASPI_SECRET_KEY": ""}, "KASPI_SECRET_KEY is not set", id="no key"),
        pytest.param({"MC_URL": "https://mc.shop.kaspi.kz"}, "would be mixed", id="half a replica"),
    ],
)
def test_without_what_it_needs_nothing_is_kept(
    shop: Console,
    database: str,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, str],
    said: str,
) -> None:
    assert shop.having(**settings).type_here("shop", "add", STORE) == 2
    assert said in capsys.readouterr().err
    assert accounts.kept(database) == []


def test_a_secret_of_another_key_is_said(shop: Console, database: str) -> None:
    accounts.add(database, MerchantId(STORE), "{}", Fernet.generate_key().decode())
    assert shop.type_here("shop", "list") == 2


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("words", [["list"], ["login", "7"], ["add", STORE]], ids=" ".join)
@pytest.mark.parametrize("key", ["", "easy", Fernet.generate_key().decode()], ids=len)
def test_where_accounts_are_kept_the_old_key_is_asked_for(
    shop: Console,
    database: str,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    key: str,
) -> None:
    """A new one cannot read them, and a second one would keep what the first cannot."""
    accounts.add(database, MerchantId("7"), "{}", KEY)
    assert shop.having(KASPI_SECRET_KEY=key).type_here("shop", *words) == 2
    told = capsys.readouterr().err
    assert "Set it to the old one. A new one cannot read them" in told
    assert "Make one" not in told
    assert [one.store for one in accounts.kept(database)] == ["7"]
