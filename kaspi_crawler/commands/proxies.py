"""`scrapy proxies`: the table of proxies, and how each exit fares."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scrapy.settings import Settings

from domain.moments import ALMATY
from kaspi_crawler import proxies
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.verbs import VerbCommand, database_of

if TYPE_CHECKING:
    # At run time storage is imported when it is needed, so that mistakes are told at once.
    from domain.exits import Exit

VERBS = {
    "add": "put proxies into the table: addresses, @file, or - to read lines of the input",
    "remove": "take proxies out of it, by their names",
    "list": "show the names of those that a crawl asks through, as PROXIES stands",
    "status": "show how each exit fares: health, rest, answers, refusals",
}
_HEADINGS = "host\tkind\texit\thealth\tstate\tanswered\trefused\trests\ttrials"


class Command(VerbCommand):
    """One verb for each thing that people do with proxies; no verb shows a password."""

    verbs = VERBS
    about = "Proxies: add, remove, list; how each exit fares: status"
    follows = "addresses of add, or names of remove"

    def do(
        self,
        verb: str,
        words: Sequence[str],
        opts: argparse.Namespace,  # noqa: ARG002
        settings: Settings,
    ) -> int:
        return _do(verb, words, settings)


def _do(verb: str, words: Sequence[str], settings: Settings) -> int:
    if verb == "add":
        return _add(words, settings)
    if verb == "remove":
        return _remove(words, settings)
    if words:
        raise BadArgument(f"{verb} takes no {words[0]!r}: pipe it into grep")
    return _list(settings) if verb == "list" else _status(settings)


def _add(words: Sequence[str], settings: Settings) -> int:
    from storage import proxies as table  # noqa: PLC0415
    from storage.sealed import seal, unseal  # noqa: PLC0415

    if not words:
        raise BadArgument(f"add: name proxies, or @file. {proxies.RIGHT}")
    key, address = settings["KASPI_SECRET_KEY"], database_of(settings)
    known = {name: unseal(sealed, key) for name, sealed in table.kept(address).items()}
    found = proxies.named(proxies.placed(_typed(words)), known)
    new = {name: seal(told, key) for name, told in found.items() if name not in known}
    table.add(address, new)
    _say(f"{len(new):,} proxies were put into the table, {len(known):,} were in it")
    if settings["PROXIES"] != proxies.TABLE:
        _say("Crawls ask through them with PROXIES=table")
    return 0


def _typed(words: Sequence[str]) -> Iterator[str]:
    """The words; a lone - stands for the lines of the input, which no list of processes shows."""
    for word in words:
        if word == "-":
            yield from filter(None, map(proxies.without_remark, sys.stdin))
        else:
            yield from word.split(",")


def _remove(words: Sequence[str], settings: Settings) -> int:
    from storage import proxies as table  # noqa: PLC0415

    if not words:
        raise BadArgument(
            "remove: name proxies. A right one: scrapy proxies remove 203.0.113.7:8080"
        )
    names = [word.rpartition("@")[2].removeprefix("http://") for word in words]
    count = table.remove(database_of(settings), names)
    _say(f"{count:,} of {len(names):,} proxies were taken out of the table")
    return 0 if count == len(set(names)) else 1


def _list(settings: Settings) -> int:
    named = proxies.configured(settings)
    for name in named or ("none: crawls ask directly. See PROXIES in docs/operating.md",):
        _say(name)
    return 0


def _status(settings: Settings) -> int:
    from storage.exits import listed  # noqa: PLC0415

    now = datetime.now(UTC)
    exits = list(listed(database_of(settings)))
    for line in (_HEADINGS, *_lines(exits, now)) if exits else ("no exit has been used yet",):
        _say(line)
    return 0


def _lines(exits: Iterable["Exit"], now: datetime) -> Iterator[str]:
    for each in exits:
        refused = ", ".join(f"{kind} {count:,}" for kind, count in sorted(each.refused.items()))
        told = (
            each.host,
            each.kind,
            each.name,
            f"{each.health} %",
            _state(each, now),
            f"{each.answered:,}",
            refused or "-",
            f"{each.rests:,}",
            f"{each.trials:,}",
        )
        yield "\t".join(told)


def _state(each: "Exit", now: datetime) -> str:
    """What the exit does now, in words."""
    if each.resting_until and each.resting_until > now:
        until = each.resting_until.astimezone(ALMATY)
        return f"rests until {until:%H:%M:%S} ({each.last_refusal})"
    if each.rest:
        return "on trial" if each.trial_until and each.trial_until > now else "waits for a trial"
    return "asks"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
