"""`scrapy shop`: the accounts that open our cabinets, and how they fare."""

import argparse
import getpass
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from scrapy.settings import Settings

from domain.identity import MerchantId
from domain.moments import ALMATY
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.cabinet.doors import account_of, doors, name_of, told
from kaspi_crawler.verbs import VerbCommand, database_of
from partners.kaspi.cabinet_login import Account

if TYPE_CHECKING:
    # At run time storage is imported when it is needed, so that mistakes are told at once.
    from storage.accounts import Kept

VERBS = {
    "add": "keep what opens a store's cabinet, encrypted: asked on the terminal, or taken from "
    "KASPI_SHOP_EMAIL and KASPI_SHOP_PASSWORD, or KASPI_SHOP_PHONE",
    "login": "sign in now, where that is needed; codes are asked on the terminal",
    "list": "show the accounts: store, name, whose, since when signed in, what is wrong",
    "remove": "forget accounts and their sessions",
    "resume": "let prices of articles be sent again that were paused: store, articles",
}
_RIGHT = "A right one: scrapy shop {verb} 11271005"
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_HEADINGS = "store\tname\taccount\tsigned in\tstate"


class Command(VerbCommand):
    """One verb for each thing that people do with an account; no verb shows a secret."""

    verbs = VERBS
    about = "Our stores in the merchant cabinet: add, login, list, remove, resume"
    follows = "merchant ids of our stores"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--phone", action="store_true", help="add: a phone opens it, with a code by SMS"
        )
        parser.add_argument(
            "--forget-password",
            action="store_true",
            help="add: sign in at once, and keep the session alone",
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        if verb == "list":
            if words:
                raise BadArgument(f"list takes no {words[0]!r}: pipe it into grep")
            return _list(settings)
        if verb == "resume":
            return _resume(words, settings)
        stores = _stores(verb, words)
        if verb == "add":
            return _add(stores, opts, settings)
        return _remove(stores, settings) if verb == "remove" else _login(stores, settings)


def _stores(verb: str, words: Sequence[str]) -> tuple[MerchantId, ...]:
    if not words:
        raise BadArgument(f"{verb}: name our stores. {_RIGHT.format(verb=verb)}")
    return arguments.stores(",".join(words))


def _add(stores: Sequence[MerchantId], opts: argparse.Namespace, settings: Settings) -> int:
    from storage import accounts  # noqa: PLC0415
    from storage.sealed import seal  # noqa: PLC0415

    doors(settings)
    address, key = database_of(settings), settings["KASPI_SECRET_KEY"]
    for one in accounts.kept(address):
        if one.store not in stores:
            one.opened(key)  # a second key would shut what is kept
    seal("", key)  # nobody types a password that cannot be kept
    account = _account(phone=opts.phone)
    for store in stores:
        accounts.add(address, store, told(account), key)
    _say(f"The account of {', '.join(stores)} is kept, encrypted with KASPI_SECRET_KEY")
    if not opts.forget_password:
        _say("The next `scrapy crawl shop` signs in; `scrapy shop login` does now")
        return 0
    try:
        return _login(stores, settings)
    finally:
        for store in stores:
            accounts.forget_credentials(address, store)
        _say("What opens it was forgotten: when the session ends, add it again")


def _account(*, phone: bool) -> Account:
    """Who signs in, from the environment or the terminal. Raises BadArgument."""
    if phone or os.environ.get("KASPI_SHOP_PHONE"):
        return Account(phone=_phone(_said("KASPI_SHOP_PHONE", "Phone: ")))
    email = _said("KASPI_SHOP_EMAIL", "E-mail: ").strip()
    if not _EMAIL.fullmatch(email):
        raise BadArgument("that is no e-mail. A right one: user@example.kz")
    return Account(email=email, password=_said("KASPI_SHOP_PASSWORD", "Password: "))


def _said(variable: str, prompt: str) -> str:
    """A variable of the environment, or what is typed, unseen but for the e-mail."""
    if found := os.environ.get(variable):
        return found
    if not sys.stdin.isatty():
        raise BadArgument(f"there is no terminal to ask on: set {variable}")
    ask = getpass.getpass if "PASSWORD" in variable else input
    typed = ask(prompt)
    if not typed.strip():
        raise BadArgument(f"nothing was typed: {prompt.strip(': ').lower()} is needed")
    return typed


def _phone(text: str) -> str:
    """As the site writes it: +7 (700) 000-00-00. Raises BadArgument, which does not repeat it."""
    digits = re.sub(r"[\s()+-]", "", text)
    found = re.fullmatch(r"[78]?(\d{3})(\d{3})(\d{2})(\d{2})", digits)
    if not found:
        raise BadArgument("that is no phone in Kazakhstan. A right one: +7 700 000 00 00")
    return "+7 ({}) {}-{}-{}".format(*found.groups())


def _login(stores: Sequence[MerchantId], settings: Settings) -> int:
    """Ask the cabinet, through the downloader that signs in where it must."""
    from scrapy.crawler import AsyncCrawlerProcess  # noqa: PLC0415

    from kaspi_crawler.spiders.shop import ShopSpider  # noqa: PLC0415
    from storage import accounts  # noqa: PLC0415

    address, named = database_of(settings), ",".join(stores)
    ShopSpider(stores=named, goods="no").prepare(settings.copy())
    accounts.wake(address, stores)
    settings.set("SIGN_IN_TRIES", 1, "cmdline")  # who waits at the terminal hears of it at once
    settings.set("LOG_INSTALL_ROOT_HANDLER", False, "cmdline")  # what came of it is said below
    process = AsyncCrawlerProcess(settings)
    process.crawl(ShopSpider, stores=named, goods="no")
    process.start()
    found = {one.store: one for one in accounts.kept(address)}
    for store in stores:
        _say(f"{store}: {_state(found[store])}")
    return int(any(found[store].session is None for store in stores))


def _list(settings: Settings) -> int:
    from storage import accounts  # noqa: PLC0415

    found = accounts.kept(database_of(settings))
    if not found:
        _say("no store has an account: the cabinet is asked nothing")
        return 0
    for line in (_HEADINGS, *_lines(found, settings["KASPI_SECRET_KEY"])):
        _say(line)
    return 0


def _lines(found: Iterable["Kept"], key: str) -> Iterable[str]:
    for one in found:
        opens = one.opened(key)
        whose = "not kept" if opens is None else _masked(name_of(account_of(opens)))
        since = one.signed_in_at and f"{one.signed_in_at.astimezone(ALMATY):%Y-%m-%d %H:%M}"
        yield f"{one.store}\t{one.name or ''}\t{whose}\t{since or '-'}\t{_state(one)}"


def _state(one: "Kept") -> str:
    if one.failure:
        until = one.rests_until if one.rest else None
        rest = f" (no sign-in until {until.astimezone(ALMATY):%Y-%m-%d %H:%M})" if until else ""
        return f"signed out: {one.failure}{rest}"
    return "signed in" if one.session else "not signed in yet"


def _masked(name: str) -> str:
    """use***@example.kz, or the end of a phone."""
    mailbox, at, host = name.partition("@")
    return f"{mailbox[:3]}***@{host}" if at else f"***{name[-5:]}"


def _remove(stores: Sequence[MerchantId], settings: Settings) -> int:
    from storage import accounts  # noqa: PLC0415

    count = accounts.remove(database_of(settings), stores)
    _say(f"{count:,} of {len(stores):,} accounts were forgotten")
    return 0 if count == len(stores) else 1


def _resume(words: Sequence[str], settings: Settings) -> int:
    from storage.shop import resume  # noqa: PLC0415

    if len(words) < 2:
        raise BadArgument("resume: name the store and the articles: scrapy shop resume 11271005 A1")
    [store] = arguments.stores(words[0])
    count = resume(database_of(settings), store, words[1:])
    _say(f"{count:,} of {len(words) - 1:,} articles were resumed")
    return 0 if count == len(words) - 1 else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
