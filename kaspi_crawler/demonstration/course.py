"""The demonstration: a shop is read twice, prices are decided, and what changed is told."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import attrs
from rich.console import Console
from scrapy.settings import BaseSettings

from domain.identity import MerchantId
from domain.site import is_replica
from kaspi_crawler.demonstration.pricing import sentences, write_rules
from kaspi_crawler.demonstration.shop import BAN, CITIES, EXITS, Shop, open_shop
from kaspi_crawler.demonstration.tables import decisions, findings, told_moves, what_next
from kaspi_crawler.settings import DATA_DIR, EXPORTS_DIR
from storage import demonstration as memory
from storage.origin import last_site
from storage.ready import ready_address


@attrs.define
class Demonstration:
    """Crawls the sandbox twice, with some hours of rivals' repricing in between."""

    settings: BaseSettings
    _console: Console = attrs.Factory(Console)
    _store: MerchantId | None = None

    def show(self, products: int, hours: int) -> int:
        """Do it, and tell what was found. Returns the exit code of the first crawl that failed."""
        self._find_room()
        with open_shop(products) as shop:
            self._say(f"The sandbox's shop is open at {shop.address}")
            failed = self._crawl(
                shop, "products", "Reading every card, offer and review in two cities"
            )
            failed = failed or self._price_our_goods(shop)
            moved = shop.let_time_pass(60 * hours)
            self._say(f"{hours} hours pass; rivals reprice ({told_moves(moved)})")
            failed = failed or self._crawl_through_exits(shop)
        if not failed:
            self._report()
        return failed

    def _find_room(self) -> None:
        """The embedded database in the usual directory, unless it holds what Kaspi itself said."""
        self.settings.set("DATABASE_URL", "", priority="cmdline")
        site = last_site(self._database())
        if site is None or is_replica(site):
            return
        for name in ("DATA_DIR", "EXPORTS_DIR"):
            self.settings.set(name, str(Path(self.settings[name]) / "demo"), priority="cmdline")
        self._say(f"Your own data is left alone: the demo's goes to {self.settings['DATA_DIR']}")

    def _database(self) -> str:
        return ready_address(self.settings["DATABASE_URL"], Path(self.settings["DATA_DIR"]))

    def _price_our_goods(self, shop: Shop) -> int:
        """Let the seller with the most boards be us, with rules from a table."""
        goods = memory.largest_seller(self._database())
        path = Path(self.settings["EXPORTS_DIR"]) / "demo-rules.csv"
        write_rules(path, goods)
        self._store = goods[0].merchant
        self._say(f"Let us be {goods[0].seller}, with {len(goods):,} goods: rules from {path}")
        command = [sys.executable, "-m", "scrapy", "rules", "import", str(path)]
        return subprocess.run(  # noqa: S603
            command, env=self._environment(shop), check=False
        ).returncode

    def _crawl_through_exits(self, shop: Shop) -> int:
        """Read the offers again, through proxies one of which is overtaxed."""
        boards = len(shop.product_addresses()) * len(CITIES.split(","))
        route = shop.weaken_an_exit(boards)
        return self._crawl(
            shop,
            "offers",
            f"Reading the offers again through {EXITS} proxies, one of which bears less: "
            f"it bans us for {BAN} s, rests, and is tried again",
            level="INFO",
            route=route.environment,
        )

    def _environment(self, shop: Shop) -> dict[str, str]:
        names = ("DATABASE_URL", "DATA_DIR", "EXPORTS_DIR")
        ours = {name: str(self.settings[name]) for name in names}
        return {**os.environ, **ours, "KASPI_URL": shop.address}

    def _say(self, sentence: str) -> None:
        self._console.print(f"[bold]•[/bold] {sentence}", highlight=False, soft_wrap=True)

    def _crawl(
        self,
        shop: Shop,
        spider: str,
        sentence: str,
        level: str = "WARNING",
        route: Mapping[str, str] | None = None,
    ) -> int:
        self._say(sentence)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
            listed.write("\n".join(shop.product_addresses()))
            listed.flush()
            command = [sys.executable, "-m", "scrapy", "crawl", spider, "-L", level]
            command += ["-a", f"products=@{listed.name}", "-a", f"cities={CITIES}"]
            environment = {**self._environment(shop), **(route or {"PROXIES": ""})}
            ended = subprocess.run(command, env=environment, check=False)  # noqa: S603
        return ended.returncode

    def _report(self) -> None:
        address = self._database()
        self._console.print(findings(*memory.told(address)))
        if self._store:
            told = sentences(address, self._store)
            self._console.print(decisions(memory.decided(address), told))
        self._console.print(
            what_next(Path(self.settings["EXPORTS_DIR"]), self._way_in(), self._store),
            highlight=False,
            soft_wrap=True,
        )

    def _way_in(self) -> str:
        """What to type before a command so that it finds the demo's data."""
        names = {"DATA_DIR": DATA_DIR, "EXPORTS_DIR": EXPORTS_DIR}
        moved = [
            f"{name}={self.settings[name]} "
            for name, usual in names.items()
            if str(self.settings[name]) != usual
        ]
        given = ["DATABASE_URL= "] if os.environ.get("DATABASE_URL") else []
        return "".join((*given, *moved))
