"""Stage 500: reprice: each complete board with a listing of ours gets its decision."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from domain.identity import ProductId
from domain.offers import OfferBoard
from domain.readings import Finding, ProductRefresh
from domain.shop import Decided, Listed, Repriced
from pipelines.reach import Reach
from pipelines.together import Together
from repricer.gain import WITH_FEED, WITHOUT_FEED
from repricer.live import decide_on
from repricer.spoken import BadSituation
from repricer.tariffs import packaged
from storage import listings
from storage.database import Cursor
from storage.patience import PASSING_ERRORS

logger = logging.getLogger(__name__)

#: Seconds after which it is asked anew which products we sell: a listing may be imported while a
#: crawl goes on.
_KNOWN_FOR = 10.0


class Reprice:
    """Decides by the rule that holds when the board was stored; nothing is written here.

    A board that is not complete says nothing: a rival may be on the part that is missing.
    """

    _priced: frozenset[ProductId] = frozenset()
    _known_until = 0.0

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._reach = Reach(crawler.settings)
        self._tariffs = packaged()
        self._horizon = WITH_FEED if crawler.settings["PUBLISH"] == "both" else WITHOUT_FEED
        self._listed = Together(self._look_up)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def open_spider(self) -> None:
        """Reach the database, and learn what we sell."""
        self._reach.open()
        await self._learn()

    async def process_item(self, item: Finding) -> Finding | Repriced:
        """Return the item with its decisions, when one of its boards has a listing of ours."""
        boards = _complete(item)
        if not boards:
            return item
        try:
            asked = await self._ours(boards)
            found = [await self._listed.ask(board) for board in asked]
        except PASSING_ERRORS as error:
            raise DropItem("nothing was decided: no database", log_level="ERROR") from error
        decided = [
            decision
            for board, listed in zip(asked, found, strict=True)
            for one in listed
            if (decision := self._decide(one, board))
        ]
        return Repriced(reading=item, decided=tuple(decided)) if decided else item

    async def close_spider(self) -> None:
        """Let go of the database."""
        await self._reach.close()

    async def _ours(self, boards: Sequence[OfferBoard]) -> list[OfferBoard]:
        """Those of products that we sell by a rule."""
        if asyncio.get_running_loop().time() >= self._known_until:
            await self._learn()
        return [board for board in boards if board.kaspi_id in self._priced]

    async def _learn(self) -> None:
        """Which products we sell by a rule; until that is known, what was known before holds."""
        self._known_until = asyncio.get_running_loop().time() + _KNOWN_FOR
        self._priced = await self._reach.do(listings.priced, "a decision waits")

    async def _look_up(self, boards: Sequence[OfferBoard]) -> list[list[Listed]]:
        """Our listings on each of the boards."""

        async def on_boards(cursor: Cursor) -> list[Listed]:
            asked = [(board.kaspi_id, board.city_id, board.checked_at) for board in boards]
            return await listings.on_boards(cursor, asked)

        found = await self._reach.do(on_boards, f"{len(boards)} boards wait for decisions")
        return [
            [one for one in found if (one.kaspi_id, one.city) == (board.kaspi_id, board.city_id)]
            for board in boards
        ]

    def _decide(self, listed: Listed, board: OfferBoard) -> Decided | None:
        try:
            decided = decide_on(listed, board, self._tariffs, self._horizon)
        except BadSituation as error:
            self._crawler.stats.inc_value("decided/unusable_rules")
            logger.error("No decision on %s of %s: its rule %s", listed.sku, listed.store, error)
            return None
        self._crawler.stats.inc_value(f"decided/{decided.decision.action}")
        return decided


def _complete(item: Finding) -> list[OfferBoard]:
    """The boards of a reading that held all offers at once."""
    boards: Sequence[OfferBoard] = ()
    if type(item) is OfferBoard:
        boards = (item,)
    elif isinstance(item, ProductRefresh):
        boards = item.boards
    return [board for board in boards if board.complete]
