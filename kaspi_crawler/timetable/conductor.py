"""Carries ticks out, one of an entry at a time, each step from what the database says now."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import attrs

from domain.moments import ALMATY
from domain.timetable import LOST, MISSED, STUCK, Entry, Tick
from kaspi_crawler.timetable import verdict
from kaspi_crawler.timetable.daemon import Daemon, DaemonAway
from kaspi_crawler.timetable.schedule import WrongSchedule, due
from kaspi_crawler.timetable.verdict import Crawl, Limits, Verdict
from partners.scrapyd import (
    DaemonRefuses,
    Job,
    read_cancelled,
    read_scheduled,
    read_state,
)
from storage import timetable as memory
from storage.runs import OpenRun, close_run, open_runs

logger = logging.getLogger(__name__)

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Pace:
    """Seconds: between two looks at a job, until a crawl without a lock is dead, and before
    another job after one that did not begin.
    """

    poll: float
    grace: float
    pause: float


@attrs.define
class Conductor:
    """Knows what is due, has it started, and notes its true end."""

    address: str
    daemon: Daemon
    limits: Limits
    pace: Pace
    busy: set[str] = attrs.field(factory=set)
    _stopping: asyncio.Event = attrs.field(factory=asyncio.Event)
    _free_since: dict[UUID, float] = attrs.field(factory=dict)

    def stop(self) -> None:
        """Let every step be the last: the ticks stay open for the next conductor."""
        self._stopping.set()

    async def look(self) -> set[str]:
        """Note what is due and who has died. Returns the entries for which there is work."""
        await self._note_what_is_due(datetime.now(UTC))
        waiting = await self._remember(memory.open_ticks)
        await self._bury_strangers({tick.run for tick in waiting})
        return {tick.entry for tick in waiting} - self.busy

    async def carry_out(self, name: str) -> None:
        """Carry the open ticks of an entry out, the oldest first, until there is none."""
        if name in self.busy:
            return
        self.busy.add(name)
        try:
            while not self._stopping.is_set() and (tick := await self._oldest(name)):
                entry = await self._remember(memory.entry, name)
                await self._pause(await self._step(entry, tick))
        finally:
            self.busy.discard(name)

    # --- What is due -------------------------------------------------------------------------

    async def _note_what_is_due(self, now: datetime) -> None:
        entries = await self._remember(memory.entries)
        last = await self._remember(memory.last_by_the_clock)
        held = await self._remember(memory.open_ticks)
        waiting = {tick.entry for tick in held if not tick.by_hand and tick.run is None}
        for entry in entries:
            try:
                await self._note(entry, last.get(entry.name), now, wait=entry.name in waiting)
            except WrongSchedule as error:
                logger.error("%s", error)

    async def _note(
        self, entry: Entry, last: datetime | None, now: datetime, *, wait: bool
    ) -> None:
        found = due(entry, last, now)
        if found is None or (wait and not found.too_late):
            return
        missed = f"{found.passed_over} earlier ones were missed" if found.passed_over else None
        if found.too_late:
            note = "the timetable was away" + (f"; {missed}" if missed else "")
            await self._add(entry, found.at, MISSED, note)
        else:
            await self._add(entry, found.at, None, missed)

    async def _add(self, entry: Entry, at: datetime, outcome: str | None, note: str | None) -> None:
        add = partial(memory.add_tick, outcome=outcome, note=note)
        if await self._remember(add, entry.name, at):
            logger.info("%s: due at %s%s", entry.name, _clock(at), _remark(outcome, note))

    # --- One step ----------------------------------------------------------------------------

    async def _oldest(self, name: str) -> Tick | None:
        held = await self._remember(memory.open_ticks)
        return next((tick for tick in held if tick.entry == name), None)

    async def _step(self, entry: Entry, tick: Tick) -> float:
        """Do what is to be done about the tick now; the seconds until the next look."""
        found = await self._judge(entry, tick)
        match found:
            case verdict.Wait(note):
                await self._remember(memory.say, tick, note)
                return self.pace.poll
            case verdict.Schedule():
                return await self._schedule(entry, tick)
            case verdict.Bury() if tick.run:
                await self._bury(tick.run, tick.job_id)
            case verdict.End(note):
                return await self._end(tick, note)
            case verdict.Again(note, at_once):
                if await self._remember(memory.again, tick, note):
                    logger.warning("%s: %s: another job is started", entry.name, note)
                return 0.0 if at_once else self.pace.pause
            case verdict.Close(outcome, note):
                if await self._remember(memory.close, tick, outcome, note):
                    logger.info("%s: %s%s", entry.name, tick.job_id, _remark(outcome, note))
        return 0.0

    async def _judge(self, entry: Entry, tick: Tick) -> Verdict:
        now = datetime.now(UTC)
        if tick.run:
            crawl = await self._crawl(tick)
            return verdict.of_crawl(tick, crawl, entry.lateness, self.limits, now)
        try:
            state = await self.daemon.ask(self.daemon.scrapyd.status(tick.job_id), read_state)
        except (DaemonAway, DaemonRefuses) as error:
            return verdict.of_silence(tick, str(error), entry.lateness, now)
        return verdict.of_job(tick, state, entry.lateness, self.limits, now)

    async def _crawl(self, tick: Tick) -> Crawl:
        for run in await self._remember(open_runs):
            if run.id == tick.run:
                return Crawl(ended=None, dead=self._is_dead(run), progressed_at=run.progressed_at)
        ended = await self._remember(memory.run_end, tick)
        # A row that somebody deleted tells nothing: that crawl is lost.
        return Crawl(ended=ended or LOST, dead=True, progressed_at=tick.opened_at)

    async def _schedule(self, entry: Entry, tick: Tick) -> float:
        job = Job(
            id=tick.job_id,
            spider=entry.spider,
            arguments=entry.arguments,
            settings=entry.settings,
            version=entry.version,
        )
        try:
            await self.daemon.ask(self.daemon.scrapyd.schedule(job), read_scheduled)
        except (DaemonAway, DaemonRefuses) as error:
            await self._remember(memory.say, tick, str(error))
            return self.pace.poll
        if await self._remember(memory.scheduled, tick):
            logger.info("%s: scrapyd has job %s", entry.name, tick.job_id)
        return self.pace.poll

    async def _end(self, tick: Tick, note: str) -> float:
        """End what is stuck: kindly, then by force; a crawl of a lost scrapyd hears of it from
        its run's row.
        """
        logger.error("%s: %s %s: it is ended", tick.entry, tick.job_id, note)
        await self._cancel(tick, "INT")
        if tick.run:
            await self._pause(self.pace.grace)
            await self._cancel(tick, "KILL")
            await self._remember(close_run, tick.run, STUCK)
        ended = verdict.after_end(note)
        await self._remember(memory.close, tick, ended.outcome, ended.note)
        return 0.0

    async def _cancel(self, tick: Tick, signal: str) -> None:
        call = self.daemon.scrapyd.cancel(tick.job_id, signal)
        try:
            await self.daemon.ask(call, read_cancelled)
        except (DaemonAway, DaemonRefuses) as error:
            logger.warning("%s: %s could not be cancelled: %s", tick.entry, tick.job_id, error)

    # --- The dead ----------------------------------------------------------------------------

    async def _bury_strangers(self, ours: set[UUID | None]) -> None:
        """Write the end of crawls that died, also of those that the timetable did not start."""
        runs = await self._remember(open_runs)
        for run in runs:
            if run.id not in ours and self._is_dead(run):
                await self._bury(run.id, run.job_id or f"a crawl of {run.spider}")
        known = {run.id for run in runs}
        self._free_since = {run: at for run, at in self._free_since.items() if run in known}

    async def _bury(self, run: UUID, called: str) -> None:
        if await self._remember(close_run, run, LOST):
            logger.warning("%s was killed: its process is gone and left no end", called)

    def _is_dead(self, run: OpenRun) -> bool:
        """Whether nobody held the run's lock for a while."""
        if run.alive:
            self._free_since.pop(run.id, None)
            return False
        free_since = self._free_since.setdefault(run.id, time.monotonic())
        return time.monotonic() - free_since >= self.pace.grace

    # --- Waiting -----------------------------------------------------------------------------

    async def _remember(self, ask: Callable[..., T], *values: Any) -> T:
        """Ask the database, in a thread: an answer may take long when it has just restarted."""
        return await asyncio.to_thread(ask, self.address, *values)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(ALMATY):%Y-%m-%d %H:%M}"


def _remark(outcome: str | None, note: str | None) -> str:
    said = ", ".join(filter(None, (outcome, note)))
    return f": {said}" if said else ""
