"""`scrapy feed`: the price feed that Kaspi pulls, written, checked, served and watched."""

import argparse
import errno
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from scrapy.settings import Settings

from domain.identity import MerchantId
from domain.moments import ALMATY
from domain.price_feed import FeedOffer
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.feed.told import keep, store_named, tell
from kaspi_crawler.verbs import VerbCommand, database_of
from partners.kaspi import price_feed
from partners.kaspi.price_feed import BrokenFeed

if TYPE_CHECKING:
    from twisted.internet.error import CannotListenError

    # At run time they are imported when they are needed, so that mistakes are told at once.
    from kaspi_crawler.feed.pulls import Pull
    from kaspi_crawler.feed.versions import Shelf, Version

VERBS = {
    "write": "write a store's feed from its listings; with PUBLISH=off a preview, not served",
    "serve": "hand out the feeds over HTTP, until stopped",
    "status": "show the versions of the feeds, and who took them",
    "read": "show the offers of a file, one JSON a line, or with --store write them down",
    "check": "hold a file against the format, and name what is wrong with it",
}
_RIGHT_PORT = "A right one: scrapy feed serve --port 8091"
_SHOWN_VERSIONS, _SHOWN_PULLS, _SHOWN_FAULTS, _SHOWN_DOUBTS = 10, 20, 20, 20


class Command(VerbCommand):
    """The official way of prices out of the door; it works without the cabinet."""

    verbs = VERBS
    about = "The price feed that Kaspi pulls: write, serve, status, check"
    follows = "store of write and status, file of read and check"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--omit", action="store_true",
            help="of write: leave out what is listed no more, instead of taking it off sale",
        )  # fmt: skip
        parser.add_argument(
            "--shrink", action="store_true",
            help="of write: even when more than 5 %% of the offers are listed no more",
        )  # fmt: skip
        parser.add_argument(
            "--store", metavar="ID", help="of read: take over points and prices of its listings"
        )
        parser.add_argument("--host", default="127.0.0.1", help="of serve; default: this machine")
        parser.add_argument("--port", default="8090", help="of serve; default: 8090")

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        return _DO[verb](words, opts, settings)


def _write(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.feed import writing  # noqa: PLC0415
    from kaspi_crawler.feed.versions import FeedRefused  # noqa: PLC0415
    from storage.feeds import NoSuchStore  # noqa: PLC0415

    shelf = writing.shelf_of(settings, _store("write", words))
    terms = writing.terms_of(settings, omit=opts.omit, shrink=opts.shrink)
    try:
        written = writing.write_feed(database_of(settings), shelf, terms)
    except NoSuchStore as error:
        raise BadArgument(f"write: {error}") from None
    except FeedRefused as error:
        sys.stderr.write(f"scrapy feed: {shelf.store}: not written, the last feed stays: {error}\n")
        return 1
    for line in writing.in_words(written, terms):
        _say(line)
    for line in writing.faults_in_words(written, _SHOWN_FAULTS):
        sys.stderr.write(f"{line}\n")
    return 0


def _serve(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    if words:
        raise BadArgument(f"serve takes no {words[0]!r}: it hands out all feeds. {_RIGHT_PORT}")
    wanted = _port(opts.port)
    user, password = settings["FEED_USER"], settings["FEED_PASSWORD"]
    if bool(user) != bool(password) or ":" in user:
        raise BadArgument("FEED_USER and FEED_PASSWORD go together, and a name holds no colon")
    from twisted.internet import reactor as installed  # noqa: PLC0415
    from twisted.internet.error import CannotListenError  # noqa: PLC0415

    from kaspi_crawler.feed.service import Credentials, door  # noqa: PLC0415

    directory = Path(settings["FEEDS_DIR"])
    directory.mkdir(parents=True, exist_ok=True)
    listening = door(directory, Credentials(user, password) if user else None)
    reactor = cast("Any", installed)  # a module that an object has taken the place of
    try:
        port = reactor.listenTCP(wanted, listening, interface=opts.host)
    except CannotListenError as error:
        raise BadArgument(_why_not(error, opts.host, wanted)) from None
    at = port.getHost()
    _say(f"http://{at.host}:{at.port}/STORE.xml hands out {directory}/STORE.xml")
    if not user:
        _say("Whoever reaches it may read: FEED_USER and FEED_PASSWORD ask for a password")
    reactor.run()
    return 0


def _why_not(error: "CannotListenError", host: str, port: int) -> str:
    """Why nobody can listen there, and what to do."""
    reason = getattr(error.socketError, "errno", None)
    if reason == errno.EADDRINUSE:
        return (
            f"serve: port {port} of {host} is taken by another program, perhaps by a `scrapy feed "
            f"serve` that runs already. Stop that, or choose another port. {_RIGHT_PORT}"
        )
    return f"serve: nobody can listen at port {port} of {host}: {error.socketError}. {_RIGHT_PORT}"


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) < 65_536:
        return int(text)
    raise BadArgument(f"port: {text!r} is no port. {_RIGHT_PORT}")


def _status(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001
    from kaspi_crawler.feed.versions import Shelf  # noqa: PLC0415

    directory = Path(settings["FEEDS_DIR"])
    if words:
        stores = [_store("status", words)]
    else:
        stores = [MerchantId(path.stem) for path in sorted(directory.glob("*.xml"))]
    for store in stores:
        _tell_of(Shelf(directory, store))
    if not stores:
        _say(f"No feed was written yet to {directory}: scrapy feed write STORE")
    return 0


def _tell_of(shelf: "Shelf") -> None:
    """A feed's last versions, the newest first and * before the served one; then its last pulls."""
    from kaspi_crawler.feed.pulls import PullLog  # noqa: PLC0415

    _say(f"{shelf.store}: {shelf.served if shelf.served.is_file() else 'nothing is served yet'}")
    served, versions = shelf.served_sha256(), list(shelf.versions())
    for version in versions[:_SHOWN_VERSIONS]:
        mark = "*" if version.sha256 == served else " "
        _say(f"{mark} {_version_line(version)}")
    numbers = {version.sha256[:32]: version.number for version in versions}
    pulls = [pull for pull in PullLog(shelf.directory).read() if pull.store == shelf.store]
    for pull in pulls[-_SHOWN_PULLS:]:
        _say(f"  {_pull_line(pull, numbers)}")


def _pull_line(pull: "Pull", numbers: Mapping[str, int]) -> str:
    from kaspi_crawler.feed.pulls import version_tag  # noqa: PLC0415

    took = {200: "took" if pull.size else "looked at", 304: "has", 401: "was refused"}
    what = took.get(pull.status, "asked for")
    number = numbers.get(version_tag(pull))
    named = f" version {number}" if number else " an older version" if pull.etag else ""
    whole = "" if pull.whole else ", broken off"
    return (
        f"{_moment(pull.at)} {pull.source} {what}{named} ({pull.status}{whole}): "
        f"{pull.agent or 'no name'}{' (from this machine: not Kaspi)' if pull.is_our_own else ''}"
    )


def _version_line(version: "Version") -> str:
    counts = {
        "added": version.added,
        "removed": version.removed,
        "withdrawn": version.withdrawn,
        "price": version.price,
        "availability": version.availability,
        "text": version.text,
        "faults": version.faults,
    }
    changes = ", ".join(f"{what} {count:,}" for what, count in counts.items() if count)
    return (
        f"{_moment(version.made_at)} version {version.number}: {version.offers:,} offers, "
        f"{version.on_sale:,} on sale; {changes or 'no change'}"
    )


def _read(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    if len(words) != 1:
        raise BadArgument("read: name one file. A right one: scrapy feed read ACTIVE.xml")
    store = None if opts.store is None else store_named("read", opts.store)
    try:
        with Path(words[0]).open("rb") as file:
            if store is None:
                tell(price_feed.read(file)[1])
            else:
                keep(database_of(settings), store, _whole(file, store))
    except BrokenFeed as error:
        sys.stderr.write(f"{words[0]}: {error}\n")
        return 1
    return 0


def _whole(file: BinaryIO, store: MerchantId) -> Iterator[FeedOffer]:
    """The offers of a feed that is right to its end and the store's own.

    Raises BrokenFeed, BadArgument.
    """
    price_feed.check(file)
    file.seek(0)
    shop, offers = price_feed.read(file)
    if shop.merchant != store:
        raise BadArgument(f"read: the feed is of merchant {shop.merchant}, not of {store}")
    return offers


def _check(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001
    if len(words) != 1:
        raise BadArgument("check: name one file. A right one: scrapy feed check price.xml")
    try:
        with Path(words[0]).open("rb") as file:
            offers = price_feed.check(file)
            file.seek(0)
            _tell_doubts(words[0], file)
    except BrokenFeed as error:
        sys.stderr.write(f"{words[0]}: {error}\n")
        return 1
    _say(f"{words[0]}: {offers:,} offers, all of them right")
    return 0


def _tell_doubts(name: str, file: BinaryIO) -> None:
    """What is right by the format, and may yet be refused; the exit code stays 0."""
    from partners.kaspi.price_feed_doubts import doubts  # noqa: PLC0415

    shop, offers = price_feed.read(file)
    said = ((offer.sku, doubt) for offer in offers for doubt in doubts(shop, offer))
    for sku, doubt in islice(said, _SHOWN_DOUBTS):
        sys.stderr.write(f"{name}: doubtful: offer {sku!r}: {doubt}\n")
    if more := sum(1 for _ in said):
        sys.stderr.write(f"… and {more:,} more doubts\n")


def _store(verb: str, words: Sequence[str]) -> MerchantId:
    if len(words) != 1:
        raise BadArgument(f"{verb}: name one store. A right one: scrapy feed {verb} 30000001")
    return store_named(verb, words[0])


def _moment(moment: datetime) -> str:
    return moment.astimezone(ALMATY).strftime("%Y-%m-%d %H:%M:%S")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


_DO: Mapping[str, Callable[[Sequence[str], argparse.Namespace, Settings], int]] = {
    "write": _write,
    "serve": _serve,
    "status": _status,
    "read": _read,
    "check": _check,
}
