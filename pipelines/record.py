"""Stage 800: record: a board that shows our price closes the intention that brought it there."""

import asyncio
from collections.abc import Sequence
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from domain.cabinet import ShopPage
from domain.identity import ProductId
from domain.offers import OfferBoard
from domain.readings import Finding, ProductRefresh
from pipelines.carrier import tell
from pipelines.publish import patience_of
from pipelines.reach import Reach
from pipelines.together import Together
from storage import arrivals
from storage.arrivals import Arrived
from storage.database import Cursor
from storage.patience import PASSING_ERRORS

#: Seconds after which it is asked anew which of our prices are under way.
_KNOWN_FOR = 5.0


class Record:
    """Reads our own price back: applied, not yet there, or there is another one.

    It reads complete boards, and the pages of the cabinet's list. What could not be verified is
    never sent again: its board is read before all others, and the price is decided on anew.
    """

    #: Asks which products have a price of ours on its way, or has asked.
    _asking: asyncio.Task[frozenset[ProductId]] | None = None
    _known_until = 0.0

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._reach = Reach(crawler.settings)
        self._patience = patience_of(crawler.settings)
        self._judged = Together(self._judge)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open_spider(self) -> None:
        """Reach the database."""
        self._reach.open()

    async def process_item(self, item: Finding) -> Finding:
        """Return it when what its boards show of us is written down."""
        boards = complete_boards(item)
        if not boards and not isinstance(item, ShopPage):
            return item
        try:
            if isinstance(item, ShopPage):
                tell(self._crawler.stats, await self._judge_page(item))
            for board in await self._awaited(boards):
                tell(self._crawler.stats, await self._judged.ask(board))
        except PASSING_ERRORS as error:
            raise DropItem("no price was verified: no database", log_level="ERROR") from error
        return item

    async def close_spider(self) -> None:
        """Let go of the database."""
        await self._reach.close()

    async def _awaited(self, boards: Sequence[OfferBoard]) -> list[OfferBoard]:
        """Those of products of which a price of ours is on its way."""
        is_old = asyncio.get_running_loop().time() >= self._known_until
        if self._asking is None or (is_old and self._asking.done()):
            self._asking = asyncio.create_task(self._products_under_way())
        # Whoever comes meanwhile waits for the same answer, and hears when there is none.
        under_way = await asyncio.shield(self._asking)
        return [board for board in boards if board.kaspi_id in under_way]

    async def _products_under_way(self) -> frozenset[ProductId]:
        found = await self._reach.do(arrivals.products_under_way, "prices wait to be verified")
        self._known_until = asyncio.get_running_loop().time() + _KNOWN_FOR
        return found

    async def _judge_page(self, page: ShopPage) -> list[Arrived]:
        async def judge(cursor: Cursor) -> list[Arrived]:
            return await arrivals.seen_in_shop(cursor, page, self._patience)

        return await self._reach.do(judge, "prices wait to be verified")

    async def _judge(self, boards: Sequence[OfferBoard]) -> list[list[Arrived]]:
        newest = {(board.kaspi_id, board.city_id): board for board in boards}

        async def judge(cursor: Cursor) -> list[Arrived]:
            return await arrivals.seen_on_boards(cursor, list(newest.values()), self._patience)

        arrived = await self._reach.do(judge, "prices wait to be verified")
        return [arrived, *([] for _ in boards[1:])]


def complete_boards(item: Finding) -> list[OfferBoard]:
    """The boards of a reading that held all offers at once."""
    boards: Sequence[OfferBoard] = ()
    if type(item) is OfferBoard:
        boards = (item,)
    elif isinstance(item, ProductRefresh):
        boards = item.boards
    return [board for board in boards if board.complete]
