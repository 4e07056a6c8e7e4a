"""The demonstration: prices are read, decided, let out, read back; and the market answers."""

import os
import sys
import tempfile
from collections.abc import Container
from datetime import UTC, datetime
from pathlib import Path

import attrs
from cryptography.fernet import Fernet
from rich.console import Console
from rich.table import Table
from scrapy.settings import BaseSettings

from domain.identity import CityId
from domain.site import is_replica
from kaspi_crawler.demonstration import tables
from kaspi_crawler.demonstration.commands import CommandFailed, Commands
from kaspi_crawler.demonstration.pricing import sentences, write_rules
from kaspi_crawler.demonstration.shop import BAN, CITIES, EXITS, Account, Shop, open_shop
from kaspi_crawler.feed.pulls import PullLog, version_tag
from kaspi_crawler.feed.versions import Shelf, Version
from kaspi_crawler.publishing_words import STEPS
from kaspi_crawler.settings import DATA_DIR, EXPORTS_DIR
from storage import accounts, ladder
from storage import demonstration as memory
from storage.origin import last_site
from storage.ready import ready_address

#: Minutes in which the marketplace applies what it took.
_APPLIES = 10
#: A canary is large enough to be looked at when it carries one in so many of the prices.
_ONE_IN = 10


@attrs.define
class Demonstration:
    """Finds a place for the demo's data, opens the sandbox, and goes through the course."""

    settings: BaseSettings
    _console: Console = attrs.Factory(Console)

    def show(self, products: int, hours: int) -> int:
        """Do it, and tell what was found. Returns the exit code of the command that failed."""
        self._find_room()
        address = self._database()
        try:
            with open_shop(products) as shop:
                course = Course(shop=shop, address=address, places=self._places(shop))
                course.run(hours)
                store = course.account.store
        except CommandFailed as failed:
            sys.stderr.write(f"{failed}\n")
            return failed.code
        exports = Path(self.settings["EXPORTS_DIR"])
        said = tables.what_next(exports, self._way_in(), store)
        self._console.print(said, highlight=False, soft_wrap=True)
        return 0

    def _find_room(self) -> None:
        """The embedded database in the usual directory, unless it holds what Kaspi itself said."""
        self.settings.set("DATABASE_URL", "", priority="cmdline")
        site = last_site(self._database())
        if site is None or is_replica(site):
            return
        for name in ("DATA_DIR", "EXPORTS_DIR"):
            self.settings.set(name, str(Path(self.settings[name]) / "demo"), priority="cmdline")
        self._console.print(
            f"Your own data is left alone: the demo's goes to {self.settings['DATA_DIR']}"
        )

    def _database(self) -> str:
        return ready_address(self.settings["DATABASE_URL"], Path(self.settings["DATA_DIR"]))

    def _places(self, shop: Shop) -> dict[str, str]:
        """What each command is told: our data, the sandbox's doors, and that nothing leaves."""
        names = ("DATABASE_URL", "DATA_DIR", "EXPORTS_DIR")
        ours = {name: str(self.settings[name]) for name in names}
        feeds = str(Path(self.settings["DATA_DIR"]) / "feeds")
        nobody = dict.fromkeys(("PROXIES", "FEED_USER", "FEED_PASSWORD", "ALERT_WEBHOOK_URL"), "")
        closed = {"FEEDS_DIR": feeds, "PUBLISH": "off", "PUBLISH_SHARE": "100"}
        return {**ours, **closed, **nobody, **shop.environment}

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


@attrs.define(kw_only=True)
class Course:
    """The story, chapter by chapter; each step is a command of ours, or the sandbox's own doing.

    `places` is the environment of the commands. Everything raises CommandFailed.
    """

    shop: Shop
    address: str
    places: dict[str, str]
    account: Account = attrs.field(init=False)
    _commands: Commands = attrs.field(init=False)
    _console: Console = attrs.Factory(Console)
    _began: datetime = attrs.Factory(lambda: datetime.now(UTC))
    #: Boards with our offer, and those where we are first: before, with our prices, in the end.
    _stood: list[tuple[int, int]] = attrs.Factory(list)

    def __attrs_post_init__(self) -> None:
        self.account = self.shop.account()
        secret = {"KASPI_SECRET_KEY": Fernet.generate_key().decode()}
        who = {
            "KASPI_SHOP_EMAIL": self.account.email,
            "KASPI_SHOP_PASSWORD": self.account.password,
        }
        self._commands = Commands({**self.places, **secret, **who})

    def run(self, hours: int) -> None:
        """Tell it all; the account is forgotten in the end, whatever happens."""
        try:
            self._read()
            self._decide(hours)
            self._let_out()
            self._answer(hours)
            self._tell_one()
        finally:
            accounts.remove(self.address, [self.account.store])

    # --- The chapters --------------------------------------------------------------------------

    def _read(self) -> None:
        self._chapter("1. The market is read")
        self._say(f"The sandbox's shop is open at {self.shop.address}")
        self._say("Reading every card, offer and review in two cities")
        self._crawl("products", self.shop.product_addresses())
        store = self.account.store
        self._commands.run("shop", "add", store)
        self._commands.crawl_unseen("shop", stores=store, believe="yes")
        goods = memory.goods(self.address, store)
        self._say(
            f"Let us be {goods[0].seller}, store {store}: signed in to the sandbox's cabinet as "
            f"{self.account.email}; {len(goods):,} goods stand on the boards"
        )
        path = Path(self.places["EXPORTS_DIR"]) / "demo-rules.csv"
        write_rules(path, goods)
        self._commands.run("rules", "import", str(path))
        self._say(f"Their rules, with cost, floor and ceiling: {tables.short(path)}")

    def _decide(self, hours: int) -> None:
        self._chapter("2. Rivals move, prices are decided")
        moved = self.shop.let_time_pass(60 * hours)
        self._say(f"{hours} hours pass; rivals reprice ({tables.told_moves(moved)})")
        addresses = self.shop.product_addresses()
        route = self.shop.weaken_an_exit(len(addresses) * len(CITIES.split(",")))
        self._say(
            f"Reading the offers again through {EXITS} proxies, one of which bears less: it bans "
            f"us for {BAN} s, rests, and is tried again"
        )
        self._crawl("offers", addresses, **route.environment)
        rests, trials, answered = memory.exit_fared(self.address, route.weak)
        self._say(
            f"By its own count it refused us {self.shop.refusals()} times; by our memory it rested "
            f"{rests} times, was tried again {trials} times, and answered {answered} questions"
        )
        self._show(tables.findings(*memory.told(self.address)))
        self._show_decisions("Our prices")
        self._look()

    def _let_out(self) -> None:
        self._chapter("3. Prices leave, and are read back")
        waiting = self._report().waiting
        self._say(f"PUBLISH=off until here: {waiting:,} prices wait, nothing has left")
        share = self._canary(waiting)
        both = self._commands.having(PUBLISH="both", PUBLISH_SHARE=str(share))
        both.crawl_unseen("publish", minutes="1")
        sent = self._report()
        pushes = sent.spending.pushes if sent.spending else 0
        self._say(
            f"The cabinet, not official and opt-in, as a canary (PUBLISH=both "
            f"PUBLISH_SHARE={share}): {sent.counts.get('accepted', 0):,} prices accepted in "
            f"{pushes:,} pushes, which says queued and no more"
        )
        self._deliver(both)
        self.shop.let_time_pass(_APPLIES)
        self._say(
            f"{_APPLIES} minutes pass in the sandbox, which applies both; our boards are read"
        )
        self._crawl("offers", self.shop.our_products())
        self._compare()
        self._look()

    def _deliver(self, commands: Commands) -> None:
        """Write the feed, hand it out, and let the sandbox take it."""
        store = self.account.store
        commands.run("feed", "write", store)
        with commands.serving_feeds() as door:
            outcome = self.shop.pull_feed(f"{door}{store}.xml")
        shelf = Shelf(Path(self.places["FEEDS_DIR"]), store)
        versions = {version.sha256[:32]: version for version in shelf.versions()}
        *_, pull = PullLog(shelf.directory).read()
        taken = versions[version_tag(pull)]
        self._say(
            f"The feed, the official way, carries all of them: version {taken.number} with "
            f"{taken.offers:,} offers, handed out at {door}{store}.xml{_left_out(taken)}"
        )
        self._say(f"{tables.told_pull(pull)}; its own book says: {outcome}")

    def _answer(self, hours: int) -> None:
        self._chapter("4. The market answers")
        self.shop.let_time_pass(60 * hours)
        self._say(f"{hours} hours pass; our boards are read once more, and decided on")
        self._crawl("offers", self.shop.our_products())
        self._look()
        _, changed, _ = memory.told(self.address)
        self._show(tables.answer(changed, self._stood))
        ours = memory.live(self.address, self.account.store, self._began)
        self._show_decisions("Our next prices", ours)

    def _tell_one(self) -> None:
        found = memory.whole_story(self.address, self.account.store, self._began)
        if found is None:
            return
        self._chapter("5. One price, from beginning to end")
        words = ("why", self.account.store, found[0], "--city", found[1])
        self._console.print(f"$ scrapy {' '.join(words)}", style="bold", highlight=False)
        for line in self._commands.run(*words).splitlines():
            self._print(tables.indented(line, self._console.width))

    # --- Steps ---------------------------------------------------------------------------------

    def _crawl(self, spider: str, products: list[str], **more: str) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
            listed.write("\n".join(products))
            listed.flush()
            commands = self._commands.having(**more)
            commands.crawl(spider, products=f"@{listed.name}", cities=CITIES)

    def _canary(self, waiting: int) -> int:
        """The first step of the ladder that carries enough to look at, in per cent."""
        for share in STEPS:
            if self._report(share).waiting * _ONE_IN >= waiting:
                return share
        return STEPS[-1]

    def _report(self, share: int = 100) -> ladder.Report:
        found = ladder.report(self.address, self.account.store, share * 100, self._began)
        if found is None:
            raise RuntimeError(f"store {self.account.store} was added and is not known")
        return found

    def _compare(self) -> None:
        """Our memory and the sandbox's own book, side by side."""
        store, true = self.account.store, self.shop.our_prices()
        live = memory.live(self.address, store, self._began)
        alike = sum(true.get((sku, city)) == price for (sku, city), price in live.items())
        report, pushed = self._report(), memory.pushed(self.address, store, self._began)
        self._show(tables.comparison(report, pushed, len(live), self.shop.book(), alike))

    def _show_decisions(
        self, title: str, among: Container[tuple[str, CityId]] | None = None
    ) -> None:
        told = sentences(self.address, self.account.store, among)
        decided, width = memory.decided(self.address), self._console.width
        self._show(tables.decisions(title, decided, told, width))

    def _look(self) -> None:
        self._stood.append(memory.standing(self.address, self.account.store))

    def _chapter(self, title: str) -> None:
        self._console.print()
        self._console.rule(f"[bold]{title}", align="left")

    def _say(self, sentence: str) -> None:
        self._print(tables.bullet(sentence, self._console.width))

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _show(self, table: Table) -> None:
        self._console.print(table)


def _left_out(version: Version) -> str:
    """How many articles cannot stand in the feed; `scrapy feed write` names each."""
    return f"; {version.faults:,} of ours cannot stand in it" if version.faults else ""
