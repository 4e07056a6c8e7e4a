"""Tells a webhook of runs that failed or raised alarms, through treq."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.defer import maybe_deferred_to_future

from domain.run import Alarm, Figures, Run
from kaspi_crawler.extensions.health import run_judged
from kaspi_crawler.health.monitors import Verdict

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

logger = logging.getLogger(__name__)

#: Seconds that the webhook has for an answer, and how often it is tried.
_PATIENCE = 10
_TRIES = 2


class Alerts:
    """One POST for a run with alarms that were not told lately, to ALERT_WEBHOOK_URL.

    The address may hold a token: it stands in no log, and neither do treq's own messages.
    """

    def __init__(self, crawler: Crawler, address: str, again_after: timedelta) -> None:
        self._crawler = crawler
        self._address = address
        self._again_after = again_after

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        address = str(crawler.settings["ALERT_WEBHOOK_URL"] or "").strip()
        if not address:
            raise NotConfigured
        seconds = crawler.settings.getfloat("ALERT_REPEAT_AFTER")
        extension = cls(crawler, address, timedelta(seconds=seconds))
        crawler.signals.connect(extension.run_judged, run_judged)
        return extension

    async def run_judged(
        self,
        run: Run,
        reason: str,
        figures: Figures,
        verdict: Verdict,
        memory: "AsyncEngine | None",
    ) -> None:
        """Tell of new alarms, all that stand beside them; forget those that have cleared."""
        if not await self._is_news(memory, run, verdict):
            return
        failure = await self._post(message(run, reason, figures, verdict.alarms))
        self._crawler.stats.inc_value("alerts/lost" if failure else "alerts/sent")
        if failure:
            logger.error(
                "The alert of this crawl was not delivered (%s): see ALERT_WEBHOOK_URL. "
                "The next crawl with the same alarm tries again",
                failure,
            )
            return
        await self._remember(memory, run, verdict)

    async def _is_news(self, memory: "AsyncEngine | None", run: Run, verdict: Verdict) -> bool:
        """Whether an alarm stands that was not told lately. Without a memory: any alarm."""
        from storage import alerts  # noqa: PLC0415
        from storage.database import said  # noqa: PLC0415
        from storage.patience import PASSING_ERRORS  # noqa: PLC0415

        if memory is None:
            return bool(verdict.alarms)
        try:
            await alerts.clear(memory, run, verdict.alarms, verdict.judged)
            return bool(await alerts.untold(memory, run, verdict.alarms, self._again_after))
        except PASSING_ERRORS as error:
            logger.error("It is not known which alarms were told before: %s", said(error))
            return bool(verdict.alarms)

    async def _remember(self, memory: "AsyncEngine | None", run: Run, verdict: Verdict) -> None:
        from storage import alerts  # noqa: PLC0415
        from storage.database import said  # noqa: PLC0415
        from storage.patience import PASSING_ERRORS  # noqa: PLC0415

        if memory is None:
            return
        try:
            await alerts.told(memory, run, verdict.alarms)
        except PASSING_ERRORS as error:
            logger.error("It could not be written down who was told: %s", said(error))

    async def _post(self, told: dict[str, Any]) -> str | None:
        """Why the last try failed, without a word of the address; None when one came through."""
        failure = None
        for _ in range(_TRIES):
            try:
                failure = await self._try(told)
            except Exception as error:  # noqa: BLE001  (no alert may end a crawl in a traceback)
                failure = type(error).__name__
            if failure is None:
                return None
        return failure

    async def _try(self, told: dict[str, Any]) -> str | None:
        import treq  # noqa: PLC0415  (few crawls alert anybody)

        response = await maybe_deferred_to_future(
            treq.post(self._address, json=told, timeout=_PATIENCE, allow_redirects=False)
        )
        return None if 200 <= response.code < 300 else f"status {response.code}"


def message(run: Run, reason: str, figures: Figures, alarms: Sequence[Alarm]) -> dict[str, Any]:
    """The body of the POST; `text` is for people, Russian first."""
    russian = "\n".join(
        [f"Обход {run.spider} ({reason}, записано {figures.items}):"]
        + [f"• {alarm.russian}" for alarm in alarms]
    )
    english = "\n".join(
        [f"Crawl {run.spider} ({reason}, {figures.items} stored):"]
        + [f"• {alarm.sentence}. {alarm.remedy}" for alarm in alarms]
    )
    return {
        "text": f"{russian}\n\n{english}",
        "text_ru": russian,
        "text_en": english,
        "run": str(run.id),
        "spider": run.spider,
        "site": run.site,
        "arguments": {name: _short(value) for name, value in run.arguments.items()},
        "reason": reason,
        "started_at": run.started_at.isoformat(),
        "figures": {
            "items": figures.items,
            "expected": figures.expected,
            "seconds": figures.seconds,
            "boards": figures.boards,
            "incomplete": figures.incomplete,
            "answers": figures.answers,
            "refused": figures.refused,
            "unread": figures.unread,
        },
        "alarms": [
            {
                "name": alarm.name,
                "subject": alarm.subject,
                "sentence": alarm.sentence,
                "remedy": alarm.remedy,
            }
            for alarm in alarms
        ],
    }


def _short(argument: str) -> str:
    """A list of products as it may stand in a message."""
    return argument if len(argument) <= 200 else f"{argument[:200]}…"
