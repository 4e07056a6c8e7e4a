"""Through which exit a question goes, and when: paced, rested, tried again, never overfed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import load_object

from domain.exits import DIRECT, Exit, Pace, RestRule, Turn
from domain.site import is_on_loopback
from kaspi_crawler.browser.trouble import BrowserTrouble
from kaspi_crawler.conversation import answer_of
from kaspi_crawler.proxies import configured
from kaspi_crawler.turnstile import Ledger, NotAsked, Turnstile
from partners.kaspi.cabinet import address_block
from partners.kaspi.storefront import Block, BlockKind, recognise_block
from storage.embedded import DatabaseUnavailable
from storage.exits import ExitBook
from storage.patience import PASSING_ERRORS
from storage.ready import ready_address

logger = logging.getLogger(__name__)

T = TypeVar("T")
Key = tuple[str, str]

#: Seconds between two looks at a database that is away.
_PAUSE = 1.0


class ExitAway(IgnoreRequest):
    """The exit that a question asks for is not there, or is refused again and again."""


class Exits:
    """Gives each question a turn at an exit, judges what comes, and asks again elsewhere.

    A question says by `meta` what it is: `kind` ("api", "page" or "cabinet") to be paced, `wants`
    ("json" or "html") to be judged by its body, `exit` (a name) to go through that exit alone. One
    that says neither `kind` nor `exit` passes untouched: it is not the storefront's.
    """

    def __init__(self, crawler: Crawler, proxies: Mapping[str, str]) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._proxies = proxies
        self._names = tuple(proxies) or (DIRECT,)
        self._paces = {
            "api": Pace(
                interval=timedelta(seconds=settings.getfloat("API_DELAY")),
                burst=settings.getint("API_BURST"),
            ),
            "page": Pace(interval=timedelta(seconds=settings.getfloat("PAGE_DELAY"))),
            "cabinet": Pace(interval=timedelta(seconds=settings.getfloat("CABINET_DELAY"))),
        }
        self._rule = _rest_rule(crawler, given=bool(proxies))
        retries = "EXIT_RETRY_TIMES" if len(self._names) > 1 else "RETRY_TIMES"
        self._tries = settings.getint(retries)
        self._passing = tuple(map(load_object, settings.getlist("RETRY_EXCEPTIONS")))
        self._ledgers: dict[Key, Ledger] = {}
        self._turnstiles: dict[tuple[str, str, str | None], Turnstile] = {}
        #: Where nothing limits us until the host itself asks for a rest.
        self._free = {
            kind for kind, pace in self._paces.items() if not pace.interval and not proxies
        }
        self._rested: set[Key] = set()
        self._book: ExitBook | None = None
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(crawler, configured(crawler.settings))
        crawler.signals.connect(middleware.spider_opened, signals.spider_opened)
        crawler.signals.connect(middleware.spider_closed, signals.spider_closed)
        return middleware

    # --- What Scrapy calls ---------------------------------------------------------------------

    def spider_opened(self) -> None:
        """Let as many questions wait for their turn as there may be under way."""
        engine = self._crawler.engine
        if engine:
            needed = 2 * self._abreast * len(self._names)
            engine.downloader.total_concurrency = max(engine.downloader.total_concurrency, needed)

    def process_request(self, request: Request) -> Awaitable[None] | None:
        """Wait for a turn, unless nothing limits us."""
        kind = request.meta.get("kind")
        if kind in self._free and not self._rested and "exit" not in request.meta:
            return None
        if kind is None and "exit" not in request.meta:
            return None
        return self._wait(request, kind or "api")

    def process_response(
        self, request: Request, response: Response
    ) -> Response | Awaitable[Response | Request]:
        """Tell the exit's health what came; ask again what was refused."""
        turn: Turn | None = request.meta.pop("turn", None)
        if turn is None:
            if response.status == 200 or "kind" not in request.meta:
                return response
            return self._rest_as_asked(request, response)
        stile = self._stile(request)
        stile.done(turn)
        block = _block(request, response)
        if block:
            return self._refused(request, turn, block, response)
        request.meta["through"] = turn
        self._crawler.stats.inc_value(f"exits/{turn.exit}/answered")
        stile.ledger.count_answer(turn.exit)
        held = stile.ledger.exits[turn.exit]
        return response if held.hear(turn) == held else self._answered(request, turn, response)

    def process_exception(
        self, request: Request, exception: Exception
    ) -> Awaitable[Request | None] | None:
        """A question without an answer is a refusal of a kind, unless our own browser failed."""
        turn: Turn | None = request.meta.pop("turn", None)
        if turn is None:
            return None
        self._stile(request).done(turn)
        if isinstance(exception, self._passing) and not isinstance(exception, BrowserTrouble):
            return self._refused(request, turn, Block.of(BlockKind.NO_ANSWER), None)
        return self._let_go(request, turn)

    async def spider_closed(self) -> None:
        """Write down what was counted."""
        if self._book is None:
            return
        try:
            for ledger in self._ledgers.values():
                await ledger.write_down()
        except PASSING_ERRORS as error:
            logger.warning("The last answers are missing in the counts of exits: %s", error)
        await self._book.close()

    # --- Turns ---------------------------------------------------------------------------------

    async def _wait(self, request: Request, kind: str) -> None:
        """Raises NotAsked when the crawl ends before the turn comes, ExitAway for a lost exit."""
        wanted = request.meta.get("exit")
        if wanted is not None and wanted not in self._names:
            raise ExitAway(
                f"there is no exit {wanted!r}: PROXIES names {', '.join(self._names[:5])}"
            )
        request.meta["kind"] = kind
        if "misread" in request.meta:
            await self._misread(request)
        turn = await self._stile(request).turn(request.meta.get("refused_by", ()))
        request.meta.update(turn=turn, download_slot=f"{turn.exit} {kind}")
        request.meta.setdefault("max_retry_times", self._tries)
        if self._proxies:
            request.meta["proxy"] = self._proxies[turn.exit]
        if turn.trial:
            self._crawler.stats.inc_value(f"exits/{turn.exit}/trials")
            logger.info("%s is tried again (%s)", turn.exit, kind)

    def _stile(self, request: Request) -> Turnstile:
        """The turnstile where the question waits, or waited."""
        host, kind = urlparse_cached(request).netloc, request.meta["kind"]
        wanted: str | None = request.meta.get("exit")
        stile = self._turnstiles.get((host, kind, wanted))
        if stile is None:
            longest = self._crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
            stile = self._turnstiles[host, kind, wanted] = Turnstile(
                ledger=self._ledger(host, kind),
                pace=self._paces[kind],
                names=self._names if wanted is None else (wanted,),
                abreast=self._abreast,
                # The downloader counts from when it asks, and a page may wait for the browser.
                longest=request.meta.get("download_timeout", longest) + 30,
                patiently=self._patiently,
                is_closing=self._is_closing,
                all_rest=partial(self._all_rest, sticky=wanted is not None),
            )
        return stile

    def _ledger(self, host: str, kind: str) -> Ledger:
        if (host, kind) not in self._ledgers:
            self._ledgers[host, kind] = Ledger(self._the_book, host, kind, self._names)
        return self._ledgers[host, kind]

    @property
    def _abreast(self) -> int:
        """Questions under way at once through one exit."""
        return self._crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")

    # --- What became of a turn -----------------------------------------------------------------

    async def _answered(self, request: Request, turn: Turn, response: Response) -> Response:
        ledger = self._stile(request).ledger
        before, after = await self._patiently(
            lambda: ledger.change(turn.exit, partial(Exit.hear, turn=turn))
        )
        if before.rest and not after.rest:
            self._rested.discard((ledger.host, ledger.kind))
            logger.info("%s answers again (%s)", turn.exit, ledger.kind)
        return response

    async def _refused(
        self, request: Request, turn: Turn, block: Block, response: Response | None
    ) -> Any:
        """Rest the exit if need be. Returns the question to ask again, or what came."""
        ledger = self._stile(request).ledger
        self._crawler.stats.inc_value(f"exits/{turn.exit}/refused/{block.kind}")
        asked = None if block.wait_seconds is None else timedelta(seconds=block.wait_seconds)
        await self._suffer(
            ledger,
            turn.exit,
            block.remedy,
            lambda held: held.suffer(turn, block.kind.value, ledger.now(), self._rule, asked),
        )
        if request.meta.get("dont_retry"):
            return response
        return self._again(request, turn, block) or response

    async def _misread(self, request: Request) -> None:
        """An answer looked well, and its reader could not use it: another exit may do better."""
        turn: Turn = request.meta.pop("through")
        reason: str = request.meta.pop("misread")
        ledger = self._stile(request).ledger
        request.meta["refused_by"] = {*request.meta.get("refused_by", ()), turn.exit}
        self._crawler.stats.inc_value(f"exits/{turn.exit}/refused/{reason}")
        await self._suffer(
            ledger,
            turn.exit,
            "Its answers cannot be used: see whether its provider changes them.",
            lambda held: held.suffer(turn, reason, ledger.now(), self._rule),
        )

    async def _suffer(
        self, ledger: Ledger, name: str, remedy: str, into: Callable[[Exit], Exit]
    ) -> None:
        """Write a refusal into the book, and say so when it rests the exit."""
        before, after = await self._patiently(lambda: ledger.change(name, into))
        if after.rests == before.rests:
            return
        self._rested.add((ledger.host, ledger.kind))
        self._crawler.stats.inc_value(f"exits/{name}/rests")
        logger.warning(
            "%s rests for %s (%s, %s%s). %s",
            name,
            _spoken(after.rest),
            ledger.kind,
            after.last_refusal,
            f", trial {after.vain} in vain" if after.vain else "",
            remedy,
        )

    def _again(self, request: Request, turn: Turn, block: Block) -> Request | None:
        spider = self._crawler.spider
        again = spider and get_retry_request(request, spider=spider, reason=block.kind.value)
        if not again:
            return None
        again.meta["refused_by"] = {*request.meta.get("refused_by", ()), turn.exit}
        for trace in ("proxy", "_auth_proxy", "download_slot"):
            again.meta.pop(trace, None)
        again.headers.pop(b"Proxy-Authorization", None)
        return again

    async def _let_go(self, request: Request, turn: Turn) -> None:
        ledger = self._stile(request).ledger
        await self._patiently(lambda: ledger.change(turn.exit, partial(Exit.let_go, turn=turn)))

    async def _rest_as_asked(self, request: Request, response: Response) -> Response:
        """Where nothing limits us, a host is still left alone for as long as it asks."""
        block = _block(request, response)
        if block and block.wait_seconds:
            asked = timedelta(seconds=block.wait_seconds)
            ledger = self._ledger(urlparse_cached(request).netloc, request.meta["kind"])

            def rest(held: Exit) -> Exit:
                known = held.rests - 1 if held.rest else held.rests
                turn = Turn(exit=DIRECT, moment=ledger.now(), rests=known, trial=False)
                return held.suffer(turn, block.kind.value, ledger.now(), self._rule, asked)

            await self._suffer(ledger, DIRECT, block.remedy, rest)
        return response

    # --- When there is no way ------------------------------------------------------------------

    def _all_rest(self, stile: Turnstile, *, sticky: bool) -> None:
        """Nobody can be asked now: wait, unless it has been in vain for long enough."""
        exits = [stile.ledger.exits[name] for name in stile.names]
        limit = self._crawler.settings.getint("TRIALS_IN_VAIN")
        if any(each.vain < limit for each in exits) or not stile.ledger.has_rested_since():
            return
        kinds = sorted({each.last_refusal or "" for each in exits})
        told = f"{', '.join(kinds)}, {limit} trials in vain of each exit"
        if sticky:
            raise ExitAway(f"{exits[0].name} is refused again and again ({told})")
        self._end(
            "blocked",
            f"{stile.ledger.host} refuses us through every exit ({told}): the crawl ends here. "
            f"{_remedy(kinds)} See `scrapy proxies status`, then run again",
        )
        raise NotAsked("the crawl ends")

    def _end(self, reason: str, sentence: str) -> None:
        """Say once why the crawl ends, and close it."""
        if self._ending is None and self._crawler.engine:
            logger.error(sentence)
            closing = self._crawler.engine.close_spider_async(reason=reason)
            self._ending = asyncio.create_task(closing)

    def _is_closing(self) -> bool:
        slot = self._crawler.engine._slot if self._crawler.engine else None
        return self._ending is not None or slot is None or slot.closing is not None

    # --- The database --------------------------------------------------------------------------

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the database, and wait for it when it is away. Raises NotAsked when it stays away."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._crawler.settings.getfloat("STORE_PATIENCE")
        while True:
            try:
                if self._book is None:
                    self._book = ExitBook(await self._reach())
                return await ask()
            except (DatabaseUnavailable, *PASSING_ERRORS) as error:
                if self._is_closing():
                    raise NotAsked("the crawl ends") from error
                if loop.time() > deadline:
                    self._stayed_away(error)
                    raise NotAsked("the crawl ends") from error
            await asyncio.sleep(_PAUSE)
            await self._revive()

    async def _reach(self) -> str:
        settings = self._crawler.settings
        return await asyncio.get_running_loop().run_in_executor(
            None, ready_address, settings["DATABASE_URL"], Path(settings["DATA_DIR"])
        )

    async def _revive(self) -> None:
        """Start the database if it is ours to start; the next question finds out whether it is."""
        try:
            await self._reach()
        except (DatabaseUnavailable, *PASSING_ERRORS) as error:
            logger.debug("The database is away: %s", error)

    def _stayed_away(self, error: Exception) -> None:
        from storage.database import said  # noqa: PLC0415

        self._end(
            "database_away",
            f"The database stayed away for {self._crawler.settings['STORE_PATIENCE']} seconds "
            f"({said(error)}): the crawl ends here. See `scrapy doctor`, then run again: "
            "what was committed is kept",
        )

    def _the_book(self) -> ExitBook:
        if self._book is None:
            raise RuntimeError("the book is opened before it is read")
        return self._book


def _block(request: Request, response: Response) -> Block | None:
    """How whoever was asked refused the address that asked."""
    judge = address_block if request.meta.get("kind") == "cabinet" else recognise_block
    return judge(answer_of(response), request.meta.get("wants"))


def _rest_rule(crawler: Crawler, *, given: bool) -> RestRule:
    """Rests are for proxies and for Kaspi itself; a replica on loopback bears everything."""
    settings = crawler.settings
    resting = given or not is_on_loopback(settings["KASPI_URL"])
    first: dict[str, float] = settings.getdict("FIRST_RESTS")
    return RestRule(
        shortest=timedelta(seconds=settings.getfloat("SHORTEST_REST") if resting else 0),
        longest=timedelta(seconds=settings.getfloat("LONGEST_REST")),
        first={kind: timedelta(seconds=float(seconds)) for kind, seconds in first.items()},
    )


def _remedy(kinds: list[str]) -> str:
    """What helps against the first of these refusals that is the storefront's own."""
    known = [kind for kind in kinds if kind in set(BlockKind)]
    return Block.of(BlockKind(known[0])).remedy if known else "Try other proxies."


def _spoken(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.3g} s"
