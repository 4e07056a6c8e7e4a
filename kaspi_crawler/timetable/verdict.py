"""What to do about a tick, decided from what is seen of it: pure, so that every case is tested."""

from datetime import datetime, timedelta

import attrs

from domain.timetable import LOST, MISSED, NOT_BEGUN, STUCK, Tick
from partners.scrapyd import JobState

#: Ends after which the same tick is worth another job; all others are what the crawl came to.
WORTH_ANOTHER = {LOST, "database_away", "start_error"}


@attrs.frozen(kw_only=True)
class Limits:
    """How long the timetable waits for what; `attempts`: jobs that one tick may have."""

    attempts: int
    stuck: timedelta
    pending: timedelta
    ends_stuck: bool


@attrs.frozen(kw_only=True)
class Crawl:
    """The crawl that began for a tick. `ended`: its close reason. `dead`: no process holds it."""

    ended: str | None
    dead: bool
    progressed_at: datetime


@attrs.frozen
class Wait:
    """Look again later; the note says why when there is something to say."""

    note: str | None = None


@attrs.frozen
class Ask:
    """Ask scrapyd where the job is: no crawl has begun for it."""


@attrs.frozen
class Schedule:
    """Have scrapyd start the job."""


@attrs.frozen
class Bury:
    """Write the end of a crawl that died without one."""


@attrs.frozen
class End:
    """End what is stuck: the job in the queue, or its crawl."""

    note: str


@attrs.frozen
class Again:
    """Give the tick another job."""

    note: str
    at_once: bool


@attrs.frozen
class Close:
    """The tick's outcome is known."""

    outcome: str
    note: str | None = None


Verdict = Wait | Ask | Schedule | Bury | End | Again | Close


def of_crawl(
    tick: Tick, crawl: Crawl, lateness: timedelta, limits: Limits, now: datetime
) -> Verdict:
    """What to do about a tick whose crawl has begun."""
    if crawl.ended:
        return _ended(tick, crawl.ended, lateness, limits, now)
    if crawl.dead:
        return Bury()
    silent = now - crawl.progressed_at
    if silent <= limits.stuck:
        return Wait()
    note = f"no answer has come since {_minutes(silent)} minutes"
    return End(note) if limits.ends_stuck else Wait(note)


def _ended(tick: Tick, reason: str, lateness: timedelta, limits: Limits, now: datetime) -> Verdict:
    if reason not in WORTH_ANOTHER:
        return Close(reason)
    if tick.attempt >= limits.attempts:
        return Close(reason, f"given up after {tick.attempt} jobs")
    if now - tick.due_at > lateness:
        return Close(reason, f"its time has passed; it had {tick.attempt} jobs")
    return Again(f"job {tick.job_id} was {reason}", at_once=True)


def of_job(
    tick: Tick, state: JobState, lateness: timedelta, limits: Limits, now: datetime
) -> Verdict:
    """What to do about a tick for which no crawl has begun, once scrapyd said where the job is."""
    if state is JobState.FINISHED:
        said = f"job {tick.job_id} ended before its crawl began: scrapyd's own log says why"
        if tick.attempt < limits.attempts and now - tick.due_at <= lateness:
            return Again(said, at_once=False)
        return Close(NOT_BEGUN, said)
    if state is JobState.UNKNOWN:
        if now - tick.due_at > lateness:
            return Close(MISSED, tick.note or "its time had passed before it could be started")
        return Schedule()
    return _waiting(tick, state, limits, now)


def _waiting(tick: Tick, state: JobState, limits: Limits, now: datetime) -> Verdict:
    waited = now - (tick.scheduled_at or tick.opened_at)
    if waited <= limits.pending:
        return Wait()
    where = "in scrapyd's queue" if state is JobState.PENDING else "for its crawl to begin"
    note = f"waits {where} since {_minutes(waited)} minutes"
    return End(note) if limits.ends_stuck else Wait(note)


def of_silence(tick: Tick, complaint: str, lateness: timedelta, now: datetime) -> Verdict:
    """What to do when scrapyd does not answer, or refuses."""
    if tick.scheduled_at is None and now - tick.due_at > lateness:
        return Close(MISSED, complaint)
    return Wait(complaint)


def after_end(note: str) -> Close:
    """What becomes of a tick that was ended."""
    return Close(STUCK, note)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
