"""`scrapy timetable`: what runs when, and what became of it."""

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader

from domain.moments import ALMATY
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.verbs import VerbCommand, database_of
from partners.kaspi.storefront import Storefront

if TYPE_CHECKING:
    # At run time they are imported when they are needed, so that mistakes are told at once.
    from domain.timetable import Entry, Tick

VERBS = {
    "run": "carry it out: start what is due through scrapyd, until stopped",
    "list": "show the entries: when each is due, how it ended last",
    "add": "add an entry: name, schedule as cron has it, arguments of its spider: "
    "add price_feed '*/15 * * * *' stores=30000001",
    "remove": "forget an entry and its history: remove price_feed",
    "run-now": "have an entry carried out at once, after what runs of it: run-now offers",
    "pause": "let an entry rest: pause reviews",
    "resume": "let it go on from now: resume reviews",
    "history": "show what became of the last ticks, of one entry or of all: history offers",
}
_NAMED = ("run-now", "pause", "resume", "remove")
_RIGHT_ENTRY = "A right one: scrapy timetable add price_feed '*/15 * * * *'"
#: How late an entry may begin that comes seldom.
_LATEST = timedelta(hours=12)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
#: Loggers that tell of every step.
_TALKATIVE = ("alembic", "procrastinate", "psycopg.pool")


class Command(VerbCommand):
    """One verb for each thing that people do with a timetable."""

    verbs = VERBS
    about = "The timetable: run, list, add, remove, run-now, pause, resume, history"
    follows = "the entry's name, and behind add its schedule and arguments"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--last", type=int, default=20, metavar="N", help="lines of history; default: 20"
        )
        parser.add_argument(
            "--spider", metavar="SPIDER", help="of add: what the entry runs; default: its name's"
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        if verb == "add":
            return _add(words, opts.spider, settings)
        name = _name(verb, words)
        if verb == "run":
            _run(settings)
        else:
            _do(verb, database_of(settings), name, opts.last)
        return 0


def _add(words: Sequence[str], spider: str | None, settings: Settings) -> int:
    """Add an entry, whose spider must take the arguments. Raises BadArgument."""
    from storage import timetable  # noqa: PLC0415

    if len(words) < 2:
        raise BadArgument(f"add: say its name and when it is due. {_RIGHT_ENTRY}")
    entry = _entry(words, spider, settings)
    timetable.add_entry(database_of(settings), entry)
    _say(f"{entry.name} is due first at {_clock(_next(entry))}")
    return 0


def _entry(words: Sequence[str], spider: str | None, settings: Settings) -> "Entry":
    from domain.timetable import Entry  # noqa: PLC0415
    from kaspi_crawler.timetable.schedule import WrongSchedule, next_due  # noqa: PLC0415

    name, schedule, *told = words
    if not _NAME.fullmatch(name):
        raise BadArgument(f"add: {name!r}: small letters, digits, - and _ name an entry")
    now = datetime.now(UTC)
    entry = Entry(
        name=name,
        spider=spider or name,
        arguments=_arguments(told),
        schedule=schedule,
        lateness=_LATEST,
        since=now,
    )
    _check_spider(entry, settings)
    try:
        first = next_due(entry, now)
        # A late start is worth it until the next one is due.
        return attrs.evolve(entry, lateness=min(_LATEST, next_due(entry, first) - first))
    except WrongSchedule:
        raise BadArgument(f"add: {schedule!r} is no schedule. {_RIGHT_ENTRY}") from None


def _arguments(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise BadArgument(f"add: {name!r} is no argument. A right one: stores=30000001")
    return {name: value for name, _, value in pairs}


def _check_spider(entry: "Entry", settings: Settings) -> None:
    loader = get_spider_loader(settings)
    if entry.spider not in loader.list():
        names = ", ".join(loader.list())
        raise BadArgument(f"add: there is no spider {entry.spider!r}: choose from {names}")
    loader.load(entry.spider)(**entry.arguments)


def _name(verb: str, names: Sequence[str]) -> str | None:
    """The one entry that the verb is about. Raises BadArgument."""
    if verb in _NAMED and len(names) != 1:
        raise BadArgument(f"{verb}: name one entry. A right one: scrapy timetable {verb} offers")
    if verb == "history" and len(names) > 1:
        raise BadArgument("history: name one entry, or none for all")
    if verb in ("run", "list") and names:
        raise BadArgument(f"{verb} takes no {names[0]!r}")
    return names[0] if names else None


def _do(verb: str, address: str, name: str | None, last: int) -> None:
    from storage import timetable  # noqa: PLC0415

    if verb == "list":
        _show(*_listed(timetable.entries(address), timetable.latest(address)))
    elif name is None:
        _show(*_told(timetable.history(address, count=last)))
    elif verb == "history":
        timetable.entry(address, name)
        _show(*_told(timetable.history(address, name, last)))
    elif verb == "remove":
        timetable.remove_entry(address, name)
        _say(f"{name} is forgotten; what runs of it runs on")
    elif verb == "pause":
        timetable.pause(address, name)
        _say(f"{name} rests; what runs of it runs on. `scrapy timetable resume {name}` wakes it")
    elif verb == "resume":
        timetable.resume(address, name)
        _say(f"{name} goes on; it is due at {_clock(_next(timetable.entry(address, name)))}")
    else:
        _run_now(address, name)


def _run_now(address: str, name: str) -> None:
    from kaspi_crawler.timetable.keeper import ask_for_a_look  # noqa: PLC0415
    from storage import timetable  # noqa: PLC0415

    tick = timetable.ask_now(address, name)
    if timetable.is_carried_out(address):
        ask_for_a_look(address)
        _say(f"{tick.job_id} is started as soon as nothing else of {name} runs")
    else:
        _say(f"{tick.job_id} waits: nobody carries the timetable out. `scrapy timetable run` does")


def _run(settings: Settings) -> None:
    """Carry the timetable out in the foreground, until SIGINT or SIGTERM."""
    from kaspi_crawler.timetable.daemon import scrapyd_of  # noqa: PLC0415
    from kaspi_crawler.timetable.keeper import keep  # noqa: PLC0415
    from storage.origin import keep_apart  # noqa: PLC0415

    logging.basicConfig(
        level=settings["LOG_LEVEL"],
        format=settings["LOG_FORMAT"],
        datefmt=settings["LOG_DATEFORMAT"],
        stream=sys.stderr,
    )
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.CRITICAL)
    site = Storefront(settings["KASPI_URL"]).address
    # Before we are connected ourselves: the first crawl could not do it any more.
    if aside := keep_apart(database_of(settings), site, ours=not settings["DATABASE_URL"]):
        sys.stderr.write(f"A replica's data was set aside: it is in the schema {aside}\n")
    scrapyd = scrapyd_of(settings, os.environ)
    logging.getLogger(__name__).info("The timetable is kept; scrapyd is at %s", scrapyd.address)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await keep(settings, scrapyd, stop)

    asyncio.run(until_stopped())
    logging.getLogger(__name__).info("Stopped; what scrapyd runs goes on, and is seen next time")


def _listed(
    entries: Iterable["Entry"], latest: dict[str, "Tick"]
) -> tuple[Sequence[str], list[list[str]]]:
    heads = ("entry", "spider", "schedule", "next", "last", "outcome", "note")
    lines = []
    for entry in entries:
        tick = latest.get(entry.name)
        lines.append(
            [
                entry.name,
                entry.spider,
                entry.schedule,
                "paused" if entry.paused else _clock(_next(entry)),
                _clock(tick.due_at) if tick else "never",
                _outcome(tick) if tick else "",
                (tick.note or "") if tick else "",
            ]
        )
    return heads, lines


def _told(ticks: Iterable["Tick"]) -> tuple[Sequence[str], list[list[str]]]:
    heads = ("due", "entry", "outcome", "took", "job", "by", "note")
    lines = [
        [
            _clock(tick.due_at),
            tick.entry,
            _outcome(tick),
            _took(tick),
            tick.job_id,
            "hand" if tick.by_hand else "clock",
            tick.note or "",
        ]
        for tick in ticks
    ]
    return heads, lines


def _outcome(tick: "Tick") -> str:
    if tick.outcome:
        return tick.outcome
    return "runs" if tick.run else "waits"


def _took(tick: "Tick") -> str:
    """From the moment in which scrapyd had the job; empty when it never had."""
    if tick.scheduled_at is None:
        return ""
    seconds = ((tick.closed_at or datetime.now(UTC)) - tick.scheduled_at).total_seconds()
    return str(timedelta(seconds=int(seconds)))


def _next(entry: "Entry") -> datetime | None:
    from kaspi_crawler.timetable.schedule import WrongSchedule, next_due  # noqa: PLC0415

    try:
        return next_due(entry, datetime.now(UTC))
    except WrongSchedule:
        return None


def _clock(moment: datetime | None) -> str:
    """In Almaty time, as people there see it."""
    return f"{moment.astimezone(ALMATY):%Y-%m-%d %H:%M}" if moment else "never: a wrong schedule"


def _show(heads: Sequence[str], lines: list[list[str]]) -> None:
    """A table on a terminal, else lines whose parts are separated by tabs."""
    if not sys.stdout.isatty():
        for line in lines:
            sys.stdout.write("\t".join(line) + "\n")
        sys.stdout.flush()
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*heads)
    for line in lines:
        table.add_row(*line)
    Console().print(table)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
