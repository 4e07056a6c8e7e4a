"""Judges the crawl when it closes: sentences in the log, the verdict in `runs`, then alerts."""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.settings import BaseSettings

from domain.run import Figures, Run
from kaspi_crawler.extensions.summary import readings
from kaspi_crawler.health.coverage import WHOLE, Coverage
from kaspi_crawler.health.monitors import Thresholds, Verdict, Watched, judge

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

logger = logging.getLogger(__name__)

#: Offers that did not stand when their boards were last read.
_NEW_OFFERS = ("stored/offer_history/seen", "stored/offer_history/returned")
_REFUSED_AT_AN_EXIT = re.compile(r"exits/.+/refused/\w+$")

#: Sent when the verdict is known, with `run`, `reason`, `figures`, `verdict` and `memory`: an
#: engine of the database, or None when that is away.
run_judged = object()


class Health:
    """Gathers the figures, asks the last runs, judges, tells."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    async def spider_closed(self, reason: str) -> None:
        """Judge; the stage `store` writes the outcome of the same run meanwhile."""
        spider: Any = self._crawler.spider
        coverage: Coverage | None = getattr(spider, "coverage", None)
        if coverage is None:  # a spider that does not read the storefront has figures of its own
            return
        run: Run = spider.run
        figures = self._figures(coverage, spider.expected)
        async with self._memory(reason) as memory:
            past = await self._past(memory, run)
            verdict = judge(self._watched(reason, figures, past))
            self._tell(verdict)
            if memory is not None:
                await self._remember(memory, run, figures, verdict)
            await self._crawler.signals.send_catch_log_async(
                signal=run_judged,
                run=run,
                reason=reason,
                figures=figures,
                verdict=verdict,
                memory=memory,
            )

    def _figures(self, coverage: Coverage, expected: int | None) -> Figures:
        stats = self._crawler.stats
        for kind, count in coverage.seen.items():
            stats.set_value(f"coverage/{kind}", count)
        for field, share in coverage.shares.items():
            stats.set_value(f"coverage/{field}", share / WHOLE)
        told = stats.get_stats()
        gone = _total(told, "stored/offer_history/gone")
        # Of a question that is asked again through another exit the spider hears the end alone.
        at_exits = sum(int(told[name]) for name in told if _REFUSED_AT_AN_EXIT.match(name))
        return Figures(
            items=readings(told),
            expected=expected,
            seconds=round(self._seconds()),
            boards=coverage.boards,
            incomplete=coverage.incomplete,
            answers=_total(told, "downloader/response_count", "downloader/exception_count"),
            refused=max(at_exits, sum(_below(told, "refused_by/").values())),
            unread=sum(_below(told, "unread_by/").values()),
            coverage=coverage.shares,
            standing=max(0, coverage.offers - _total(told, *_NEW_OFFERS)) + gone,
            gone=gone,
        )

    def _seconds(self) -> float:
        run: Run = self._crawler.spider.run  # type: ignore[union-attr]
        return (datetime.now(UTC) - run.started_at).total_seconds()

    def _watched(self, reason: str, figures: Figures, past: tuple[Figures, ...]) -> Watched:
        stats = self._crawler.stats.get_stats()
        return Watched(
            reason=reason,
            figures=figures,
            past=past,
            refused=_below(stats, "refused_by/"),
            unread=_below(stats, "unread_by/"),
            drifts=_drifts(stats),
            looked_at=sum(_below(stats, "looked_at/").values()),
            errors=_total(stats, "spider_exceptions/count", "item_errors"),
            thresholds=thresholds(self._crawler.settings),
            prices=_below(stats, "publish/") | _below(stats, "decided/") | _below(stats, "outbox/"),
            shop=_below(stats, "stored/listings/"),
            signed_out={
                name.removeprefix("signed_out/"): str(why)
                for name, why in stats.items()
                if name.startswith("signed_out/") and why
            },
        )

    def _tell(self, verdict: Verdict) -> None:
        stats = self._crawler.stats
        stats.set_value("alarms", len(verdict.alarms))
        for alarm in verdict.alarms:
            stats.set_value(f"alarms/{alarm.name}/{alarm.subject}", alarm.sentence)
            logger.warning(
                "Alarm %s: %s. %s",
                alarm.name,
                alarm.sentence,
                alarm.remedy,
                extra={"alarm": alarm.name, "subject": alarm.subject},
            )

    @asynccontextmanager
    async def _memory(self, reason: str) -> "AsyncIterator[AsyncEngine | None]":
        """An engine of the database, or None when the crawl ended because that is away."""
        from storage.database import open_engine  # noqa: PLC0415  (loaded by the stages anyway)
        from storage.embedded import DatabaseUnavailable  # noqa: PLC0415
        from storage.ready import ready_address  # noqa: PLC0415

        if reason == "database_away":
            yield None
            return
        settings = self._crawler.settings
        try:
            address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
        except DatabaseUnavailable as error:
            logger.error("The crawl's health is judged without its last runs: %s", error)
            yield None
            return
        engine = open_engine(address, connections=1)
        try:
            yield engine
        finally:
            await engine.dispose()

    async def _past(self, memory: "AsyncEngine | None", run: Run) -> tuple[Figures, ...]:
        from storage.database import said  # noqa: PLC0415
        from storage.patience import PASSING_ERRORS  # noqa: PLC0415
        from storage.runs import last_figures  # noqa: PLC0415

        if memory is None:
            return ()
        count = self._crawler.settings.getint("HEALTH_LAST_RUNS")
        try:
            return await last_figures(memory, run, count)
        except PASSING_ERRORS as error:
            logger.error("The crawl's health is judged without its last runs: %s", said(error))
            return ()

    async def _remember(
        self, memory: "AsyncEngine", run: Run, figures: Figures, verdict: Verdict
    ) -> None:
        from storage.database import said  # noqa: PLC0415
        from storage.patience import PASSING_ERRORS  # noqa: PLC0415
        from storage.runs import judge_run  # noqa: PLC0415

        try:
            await judge_run(memory, run.id, figures, verdict.alarms)
        except PASSING_ERRORS as error:
            logger.error("The verdict on this crawl could not be written down: %s", said(error))


def thresholds(settings: BaseSettings) -> Thresholds:
    """The settings HEALTH_… as the monitors take them."""
    return Thresholds(
        least_items=settings.getint("HEALTH_LEAST_ITEMS"),
        expected_share=settings.getfloat("HEALTH_EXPECTED_SHARE"),
        coverage={
            name: float(share) for name, share in settings.getdict("HEALTH_COVERAGE").items()
        },
        most_refused=settings.getfloat("HEALTH_MOST_REFUSED"),
        most_incomplete=settings.getfloat("HEALTH_MOST_INCOMPLETE"),
        most_gone=settings.getfloat("HEALTH_MOST_GONE"),
        most_unread=settings.getfloat("HEALTH_MOST_UNREAD"),
        longest_seconds=settings.getfloat("HEALTH_LONGEST_SECONDS"),
        least_runs=settings.getint("HEALTH_LEAST_RUNS"),
        items_drop=settings.getfloat("HEALTH_ITEMS_DROP"),
        coverage_drop=settings.getfloat("HEALTH_COVERAGE_DROP"),
        share_rise=settings.getfloat("HEALTH_SHARE_RISE"),
        slower_times=settings.getfloat("HEALTH_SLOWER_TIMES"),
    )


def _below(stats: Mapping[str, Any], prefix: str) -> dict[str, int]:
    """The counters whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): int(count)
        for name, count in stats.items()
        if name.startswith(prefix)
    }


def _drifts(stats: Mapping[str, Any]) -> dict[str, int]:
    """drift/offers/unknown/price2 as "offers: unknown price2"."""
    told = {}
    for name, count in _below(stats, "drift/").items():
        source, kind, key = name.split("/", 2)
        told[f"{source}: {kind} {key}"] = count
    return told


def _total(stats: Mapping[str, Any], *names: str) -> int:
    return sum(int(stats.get(name, 0)) for name in names)
