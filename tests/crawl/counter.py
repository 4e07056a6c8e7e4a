"""Our shop in the sandbox: what its cabinet truly holds, and how its ledger counts our sign-ins."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs
import psycopg
from cryptography.fernet import Fernet
from psycopg.rows import dict_row

from domain.identity import MerchantId
from kaspi_crawler.cabinet.doors import told
from partners.kaspi.cabinet_login import Account
from storage import accounts
from storage.sealed import unseal
from tests.crawl.crawling import PATIENCE, ROOT, Arguments, Ended, Workplace
from tests.crawl.market import Market, selling

PASSWORD = "a word for tests"  # noqa: S105
EMAIL, PHONE = "user@example.kz", "+7 (700) 000-00-00"
WRONG = Account(email=EMAIL, password="another word")  # noqa: S106
KEY = Fernet.generate_key().decode()
#: Prints the newest code of the sandbox's mailbox, and keeps what it was told.
_POSTMAN = """
import json, os, sys, urllib.request
with urllib.request.urlopen(sys.argv[1] + "/sandbox/seller/mailbox") as answer:
    letter = json.load(answer)[-1]
with open(sys.argv[2], "a") as told:
    names = ("KASPI_CODE_STORE", "KASPI_CODE_KIND", "KASPI_CODE_SENT_TO", "KASPI_SECRET_KEY")
    told.write(json.dumps([os.environ.get(name) for name in names]) + "\\n")
print(letter["code"])
"""


@attrs.frozen(kw_only=True)
class Counter:
    """The sandbox's cabinet, and a place where `shop` is crawled."""

    market: Market
    place: Workplace

    @property
    def store(self) -> str:
        """The first of our stores."""
        return str(self.told()["accounts"][0]["merchants"][0])

    def told(self) -> dict[str, Any]:
        """Accounts, and how many sessions there are and were."""
        found: dict[str, Any] = self.ask("seller")
        return found

    def begun(self) -> int:
        """How many sessions ever began: one a sign-in."""
        told = self.told()
        return int(told["sessions"] + told["sessions_ended"])

    def letters(self) -> int:
        """How many codes were sent."""
        return len(self.ask("seller/mailbox"))

    def ask(self, path: str, body: object = None) -> Any:
        """One of the sandbox's switches."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.market.address}/sandbox/{path}", data=data)  # noqa: S310
        with urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def calm(self, **switches: object) -> None:
        """Nothing goes wrong, nobody is signed in; codes may be sent without a pause."""
        self.ask("faults", {})
        self.ask("seller/switches", {"code_pause": 0, "codes_an_hour": 10_000, **switches})
        self.ask("seller/expire", {})

    def keep(self, account: Account | None = None, *stores: str) -> None:
        """Keep an account for our stores, as `scrapy shop add` does."""
        opens = account or Account(email=EMAIL, password=PASSWORD)
        for store in stores or (self.store,):
            accounts.add(self.place.database, MerchantId(store), told(opens), KEY)

    @property
    def environment(self) -> dict[str, str]:
        """Where the cabinet is, and what opens our secrets."""
        here = self.market.address
        cabinet = {"MC_URL": f"{here}/mc.shop", "IDMC_URL": f"{here}/idmc.shop"}
        return {**cabinet, "KASPI_SECRET_KEY": KEY}

    def with_postman(self, directory: Path) -> dict[str, str]:
        """The environment with a command that prints the codes."""
        script = directory / "postman.py"
        script.write_text(_POSTMAN, encoding="utf-8")
        words = f"python3 {script} {self.market.address} {directory / 'told'}"
        return {"KASPI_CODE_COMMAND": words}

    def crawl(
        self,
        arguments: Arguments | None = None,
        environment: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Ended:
        """Crawl `shop` to its end."""
        around = {**self.environment, **(environment or {})}
        return self.place.crawl("shop", arguments, environment=around, **more)

    def type(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """Type `scrapy shop …`; what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "scrapy", "shop", *words],
            cwd=ROOT,
            env={**os.environ, **self.place.environment, **self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return f"{done.returncode}\n{done.stdout}{done.stderr}"

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the memory answers."""
        with psycopg.connect(self.place.database, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    def account(self) -> dict[str, Any]:
        """The row of our first store's account."""
        query = "SELECT * FROM cabinet_accounts WHERE store_id = %s"
        with psycopg.connect(self.place.database, row_factory=dict_row) as connection:
            [row] = connection.execute(query, [self.store])
        return row

    def cookies(self) -> str:
        """The session that is kept, decrypted."""
        return unseal(self.account()["session"].encode(), KEY)


@contextmanager
def trading(directory: Path, products: int = 60, *words: str) -> Iterator[Market]:
    """A market with our shop in it."""
    with selling(directory, products, f"--shop-password={PASSWORD}", *words) as market:
        yield market


def truth(counter: Counter) -> dict[str, dict[str, Any]]:
    """Our goods as the cabinet truly holds them, as the memory should; those off sale have none."""
    return {
        one["sku"]: {
            "kaspi_id": one["product"],
            "on_sale": one["archived_at"] is None,
            "prices": None if one["archived_at"] else one["city_prices"],
            "points": {} if one["archived_at"] else dict(map(_place, one["places"])),
        }
        for one in counter.ask("seller/goods")["listings"]
    }


def _place(told: dict[str, Any]) -> tuple[str, list[Any]]:
    stock = told["stock"] if told["specified"] else None
    return told["store_id"], [told["available"], stock, told["preorder"] or None]


def held(counter: Counter) -> dict[str, dict[str, Any]]:
    """The same as it is remembered."""
    query = """
    SELECT sku, kaspi_id, removed_at IS NULL AS on_sale,
        (SELECT coalesce(jsonb_object_agg(point,
                jsonb_build_array(available, listing_points.stock, preorder)), '{}')
         FROM listing_points WHERE listing_id = listings.id) AS points,
        CASE WHEN removed_at IS NULL THEN
            (SELECT coalesce(jsonb_object_agg(city_id, listing_prices.price), '{}')
             FROM listing_prices WHERE listing_id = listings.id) END AS prices
    FROM listings"""
    return {row.pop("sku"): row for row in counter.rows(query)}
