"""Keeps the timetable of one database: procrastinate's worker, as long as the right to it lasts."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from psycopg_pool import PoolTimeout
from scrapy.settings import BaseSettings

from kaspi_crawler.timetable.conductor import Conductor, Pace
from kaspi_crawler.timetable.daemon import Daemon
from kaspi_crawler.timetable.verdict import Limits
from partners.scrapyd import Scrapyd
from storage.database import said
from storage.embedded import DatabaseUnavailable
from storage.queue import prepare_queue, queue_app
from storage.ready import ready_address
from storage.timetable import AlreadyKept, Leadership

logger = logging.getLogger(__name__)

QUEUE = "timetable"
#: Entries that are carried out at once: more than scrapyd runs at once only wait there.
_AT_ONCE = 50
#: Seconds between two looks whether the right to the timetable still holds.
_CONFIRM = 1.0
#: Seconds that steps under way have when the keeper stops.
_FAREWELL = 10.0
#: What a database that restarts brings about.
PASSING = (psycopg.OperationalError, ConnectorException, PoolTimeout, DatabaseUnavailable)


async def keep(settings: BaseSettings, scrapyd: Scrapyd, stop: asyncio.Event) -> None:
    """Carry the timetable out until asked to stop; a database that goes away is waited for.

    Raises what is wrong at the start: DatabaseUnavailable, SchemaBehind, AlreadyKept.
    """
    shift: Shift | None = await _begin(settings, scrapyd)
    while True:
        try:
            if shift:
                await shift.work(stop)
                return
            shift = await _begin(settings, scrapyd)
        except (*PASSING, AlreadyKept) as error:
            logger.warning("The timetable waits for its database: %s", said(error))
            shift = None
            if await _asked(stop, _CONFIRM):
                return


async def _begin(settings: BaseSettings, scrapyd: Scrapyd) -> "Shift":
    address = await asyncio.to_thread(
        ready_address, settings["DATABASE_URL"], Path(settings["DATA_DIR"])
    )
    leadership = await asyncio.to_thread(Leadership, address)
    try:
        await asyncio.to_thread(prepare_queue, address)
    except BaseException:
        leadership.leave()
        raise
    return Shift(address, leadership, settings, scrapyd)


class Shift:
    """The time from one loss of the database to the next."""

    def __init__(
        self, address: str, leadership: Leadership, settings: BaseSettings, scrapyd: Scrapyd
    ) -> None:
        self._leadership = leadership
        self._conductor = Conductor(
            address=address,
            daemon=Daemon(scrapyd),
            limits=limits_of(settings),
            pace=Pace(
                poll=settings.getfloat("TIMETABLE_POLL"),
                grace=settings.getfloat("TIMETABLE_GRACE"),
                pause=settings.getfloat("TIMETABLE_PAUSE"),
            ),
        )
        self._app = queue_app(address)
        self._tell(settings["TIMETABLE_LOOKS"])

    async def work(self, stop: asyncio.Event) -> None:
        """Work until asked to stop. Raises one of PASSING when the database goes away."""
        try:
            async with self._app.open_async():
                await _forget_the_dead(self._app)
                await self._defer("look", "look", timestamp=0)
                await self._until_one_ends(
                    self._app.run_worker_async(
                        queues=[QUEUE],
                        concurrency=_AT_ONCE,
                        install_signal_handlers=False,
                        delete_jobs="always",
                        shutdown_graceful_timeout=_FAREWELL,
                    ),
                    self._confirm(),
                    _wait_for(stop),
                )
            if not stop.is_set():
                raise psycopg.OperationalError("the queue in the database was cut off")
        finally:
            self._leadership.leave()

    def _tell(self, looks: str) -> None:
        """Tell procrastinate what there is to do: a look at its times, and an entry's ticks."""

        @self._app.periodic(cron=looks)
        @self._app.task(name="look", queue=QUEUE, lock="look", queueing_lock="look")
        async def look(timestamp: int) -> None:  # noqa: ARG001  (procrastinate's own)
            with _heard("looking what is due"):
                for name in await self._conductor.look():
                    await self._defer("carry_out", f"entry {name}", name=name)

        @self._app.task(name="carry_out", queue=QUEUE)
        async def carry_out(name: str) -> None:
            with _heard(f"carrying {name} out"):
                await self._conductor.carry_out(name)

    async def _defer(self, task: str, lock: str, **arguments: Any) -> None:
        """Put a step into the queue, unless the same waits there."""
        step = self._app.configure_task(task, queue=QUEUE, lock=lock, queueing_lock=lock)
        with contextlib.suppress(AlreadyEnqueued):
            await step.defer_async(**arguments)

    async def _confirm(self) -> None:
        while True:
            await asyncio.to_thread(self._leadership.confirm)
            await asyncio.sleep(_CONFIRM)

    async def _until_one_ends(self, *parts: Coroutine[Any, Any, None]) -> None:
        """Run them together; the end of one is the end of all, in order. Raises its error."""
        tasks = [asyncio.create_task(part) for part in parts]
        ended, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._conductor.stop()
        for task in rest:
            task.cancel()
        # What the others say of a database that has gone is known by then.
        await asyncio.gather(*rest, return_exceptions=True)
        for task in ended:
            task.result()


@contextlib.contextmanager
def _heard(step: str) -> Iterator[None]:
    """Say what goes wrong in a step, for procrastinate is silent; of a database that has gone
    away the keeper itself speaks. The next look takes the step up again.
    """
    try:
        yield
    except PASSING:
        raise
    except Exception:
        logger.exception("An error in %s: it is tried again at the next look", step)
        raise


def limits_of(settings: BaseSettings) -> Limits:
    """How long the timetable waits for what, as the settings have it."""
    return Limits(
        attempts=settings.getint("TIMETABLE_ATTEMPTS"),
        stuck=timedelta(seconds=settings.getfloat("TIMETABLE_STUCK")),
        pending=timedelta(seconds=settings.getfloat("TIMETABLE_PENDING")),
        ends_stuck=settings.getbool("TIMETABLE_ENDS_STUCK"),
    )


def ask_for_a_look(address: str) -> None:
    """Wake the keeper of this database: somebody wants something carried out now."""
    app = queue_app(address)
    with app.open(), contextlib.suppress(AlreadyEnqueued):
        look = app.configure_task("look", queue=QUEUE, lock="look", queueing_lock="look")
        look.defer(timestamp=0)


async def _forget_the_dead(app: App) -> None:
    """Drop the steps of a keeper that was killed: what is open is found by the first look."""
    for job in await app.job_manager.list_jobs_async(queue=QUEUE, status=Status.DOING.value):
        if job.id is not None:
            await app.job_manager.finish_job_by_id_async(job.id, Status.ABORTED, delete_job=True)


async def _wait_for(stop: asyncio.Event) -> None:
    await stop.wait()


async def _asked(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
