"""Stage 600: intend: what was decided is written to the outbox; nothing leaves from here."""

import logging
from collections.abc import Iterable, Sequence
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from domain.readings import Finding
from domain.shop import Decided, Repriced
from pipelines.reach import Reach
from pipelines.together import Together
from storage import outbox
from storage.database import Cursor
from storage.outbox import Written
from storage.patience import PASSING_ERRORS, REFUSALS

logger = logging.getLogger(__name__)


class Intend:
    """Writes decisions that are news, and a pending intention for each price to set.

    An older intention for the same listing and city is superseded, or withdrawn when the price
    shall stay. What the database's CHECKs refuse is left out alone, and said.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._reach = Reach(crawler.settings)
        self._written = Together(self._write)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open_spider(self) -> None:
        """Reach the database."""
        self._reach.open()

    async def process_item(self, item: Finding | Repriced) -> Finding:
        """Return the reading when its decisions are committed."""
        if not isinstance(item, Repriced):
            return item
        try:
            await self._written.ask(item.decided)
        except PASSING_ERRORS as error:
            raise DropItem("no decision was written: no database", log_level="ERROR") from error
        return item.reading

    async def close_spider(self) -> None:
        """Let go of the database."""
        await self._reach.close()

    async def _write(self, waiting: Sequence[tuple[Decided, ...]]) -> Sequence[None]:
        await self._settle(_newest(one for decided in waiting for one in decided))
        return [None] * len(waiting)

    async def _settle(self, decided: Sequence[Decided]) -> None:
        """Write them; halve the batch as long as the database refuses it, to save the rest."""

        async def write(cursor: Cursor) -> Written:
            return await outbox.write(cursor, decided)

        try:
            written = await self._reach.do(write, f"{len(decided)} decisions wait")
        except REFUSALS as error:
            if len(decided) == 1:
                self._refused(decided[0], error)
                return
            middle = len(decided) // 2
            await self._settle(decided[:middle])
            await self._settle(decided[middle:])
        else:
            for name, count in written.counts.items():
                self._crawler.stats.inc_value(f"outbox/{name}", count)

    def _refused(self, decided: Decided, error: Exception) -> None:
        """A decision that our own limits let pass and the database does not: an error of ours."""
        self._crawler.stats.inc_value("outbox/refused")
        logger.error(
            "The database refused %s for %s of %s: %s. Nothing will be set; please report this",
            decided.decision.price,
            decided.listing.sku,
            decided.listing.store,
            error,
        )


def _newest(decided: Iterable[Decided]) -> list[Decided]:
    """One decision a listing and city, by the board that was read last."""
    newest: dict[tuple[int, str], Decided] = {}
    for one in decided:
        held = newest.get((one.listing.id, one.listing.city))
        if held is None or held.board_at <= one.board_at:
            newest[one.listing.id, one.listing.city] = one
    return list(newest.values())
