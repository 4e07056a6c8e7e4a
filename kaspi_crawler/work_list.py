"""What a spider reads when it is not told: the work list, in the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import CityId, ProductId
from kaspi_crawler.conversation import StorefrontSpider
from partners.kaspi.storefront import ShortLink
from storage.database import open_engine
from storage.embedded import DatabaseUnavailable
from storage.patience import PASSING_ERRORS
from storage.queries import WorkListSize, work_list_boards, work_list_products, work_list_size
from storage.ready import ready_address
from storage.review_horizons import review_horizons

T = TypeVar("T")

#: The ids of the newest reviews that are held of a product.
Horizon = frozenset[str]
#: Products whose horizons are asked for at once.
_TOGETHER = 200

#: Seconds between two looks at a database that is away.
_PAUSE = 1.0


async def products_to_read(spider: StorefrontSpider) -> AsyncIterator[ProductId | ShortLink]:
    """The products that the spider was told, or those of the work list."""
    if spider.products is not None:
        spider.expected = len(spider.products)
        for product in spider.products:
            yield product
        return
    async for product, _cities in _products(spider):
        yield product


async def texts_to_read(
    spider: StorefrontSpider,
) -> AsyncIterator[tuple[ProductId | ShortLink, Horizon]]:
    """The products that the spider was told, or those of the work list, with what is held.

    Nothing is held of a product whose reviews were never read whole, nor of a short link, which
    may lead to any product.
    """
    waiting: list[ProductId | ShortLink] = []
    async for product in products_to_read(spider):
        waiting.append(product)
        if len(waiting) == _TOGETHER:
            for pair in await _with_horizons(spider, waiting):
                yield pair
            waiting.clear()
    for pair in await _with_horizons(spider, waiting):
        yield pair


async def _with_horizons(
    spider: StorefrontSpider, products: list[ProductId | ShortLink]
) -> list[tuple[ProductId | ShortLink, Horizon]]:
    named = [product for product in products if not isinstance(product, ShortLink)]

    async def ask(engine: AsyncEngine) -> AsyncIterator[tuple[ProductId, Horizon]]:
        for found in (await review_horizons(engine, named)).items():
            yield found

    held = dict([pair async for pair in _listed(spider, ask)]) if named else {}
    return [
        (product, frozenset() if isinstance(product, ShortLink) else held.get(product, frozenset()))
        for product in products
    ]


async def refreshes_to_read(
    spider: StorefrontSpider,
) -> AsyncIterator[tuple[ProductId | ShortLink, tuple[CityId, ...]]]:
    """The products to read whole, each with its cities, the home city first.

    From the work list a product comes with the cities it is watched in, unless some were chosen.
    """
    if spider.products is not None:
        async for product in products_to_read(spider):
            yield product, spider.cities
        return
    async for product, cities in _products(spider):
        yield product, spider.chosen_cities or cities


async def boards_to_read(
    spider: StorefrontSpider,
) -> AsyncIterator[tuple[ProductId | ShortLink, CityId]]:
    """The boards that the spider was told, or those of the work list, the longest unread first."""
    if spider.products is not None:
        spider.expected = len(spider.products) * len(spider.cities)
        for product in spider.products:
            for city in spider.cities:
                yield product, city
        return

    def unread(engine: AsyncEngine) -> AsyncIterator[tuple[ProductId, CityId]]:
        return work_list_boards(engine, spider.run.started_at, spider.chosen_cities)

    size = await _size(spider)
    spider.expected = size.boards
    if spider.chosen_cities and not {*spider.chosen_cities} & {*size.cities} and size.cities:
        spider.logger.warning(
            "Nothing on the work list is watched in %s. Its cities: %s. Others are put on it by "
            "`scrapy worklist add`",
            ", ".join(spider.chosen_cities),
            ", ".join(size.cities),
        )
    async for board in _listed(spider, unread):
        yield board


async def _products(
    spider: StorefrontSpider,
) -> AsyncIterator[tuple[ProductId, tuple[CityId, ...]]]:
    spider.expected = (await _size(spider)).products
    async for listed in _listed(spider, work_list_products):
        yield listed


async def _size(spider: StorefrontSpider) -> WorkListSize:
    async with _memory(spider) as engine:
        size = await work_list_size(engine, spider.chosen_cities)
    if not size.products:
        spider.logger.warning(
            "The work list is empty: name products, as in -a products=102298404,106185651. "
            "What is read once stays on the list"
        )
    return size


async def _listed(
    spider: StorefrontSpider, ask: Callable[[AsyncEngine], AsyncIterator[T]]
) -> AsyncIterator[T]:
    """What the database lists, each once, though it may be away between two slices.

    Raises the database's error when it stays away for longer than STORE_PATIENCE.
    """
    told: set[int] = set()
    loop = asyncio.get_running_loop()
    deadline = None
    while True:
        try:
            async with _memory(spider) as engine:
                async for item in ask(engine):
                    deadline = None
                    if hash(item) not in told:
                        told.add(hash(item))
                        yield item
            return
        except (DatabaseUnavailable, *PASSING_ERRORS):
            deadline = deadline or loop.time() + spider.settings.getfloat("STORE_PATIENCE")
            if loop.time() > deadline:
                raise
        await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def _memory(spider: StorefrontSpider) -> AsyncIterator[AsyncEngine]:
    address = await asyncio.get_running_loop().run_in_executor(
        None, ready_address, spider.settings["DATABASE_URL"], Path(spider.settings["DATA_DIR"])
    )
    engine = open_engine(address)
    try:
        yield engine
    finally:
        await engine.dispose()
