"""Our own stores in the merchant cabinet: every article with its points, stock and prices."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.settings import Settings
from twisted.python.failure import Failure

from domain.cabinet import CabinetPage, ShopPage, ShopRead
from domain.identity import MerchantId
from domain.readings import Source, Topic
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.cabinet.doors import doors
from kaspi_crawler.cabinet.signing import SignedOut
from kaspi_crawler.conversation import Heard, Inquiry, StorefrontSpider, Turn
from kaspi_crawler.pages.goods import GoodsPage, StoresAnswer
from kaspi_crawler.pages.goods_walk import ShopWalk, Step
from kaspi_crawler.pages.outcomes import Unreadable
from partners.call import Call
from partners.kaspi.cabinet import Cabinet


class ShopSpider(StorefrontSpider):
    """Read all goods of our own stores in the merchant cabinet, on sale and taken off.

    Arguments
        stores: merchant ids, separated by commas; default: every store with an account
        goods: yes or no; no: only sign in where that is needed; default: yes
        believe: yes or no; yes: what is not shown has vanished, however much it is; default: no
    """

    name = "shop"
    accepts = ("stores", "goods", "believe")

    def __init__(
        self,
        stores: str | None = None,
        goods: str | None = None,
        believe: str | None = None,
        **told: Any,
    ) -> None:
        super().__init__(stores=stores, goods=goods, believe=believe, **told)
        self.named = None if stores is None else arguments.stores(stores)
        self.goods = arguments.yes_or_no("goods", goods, default=True)
        self.believe = arguments.yes_or_no("believe", believe, default=False)
        self._shut: set[MerchantId] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signals.spider_idle)
        return spider

    def prepare(self, settings: Settings) -> None:
        """Find the accounts. Raises BadArgument, NoKey, and what a database that is away does."""
        self.cabinet = Cabinet(address=doors(settings).cabinet)
        self.stores = _stores(self.named, settings)

    async def questions(self) -> AsyncIterator[Request]:
        """The first page of each store, or only who is signed in."""
        for store in self.stores:
            if self.goods:
                yield self._ask_page(ShopWalk(store=store), datetime.now(UTC))
            else:
                yield self._ask_whether_signed_in(store)

    def idle(self) -> None:
        """End with a reason of its own where a store is shut; the other stores were read."""
        if self._shut:
            raise CloseSpider("signed_out")

    def miss(self, failure: Failure) -> Turn:
        """A store that is shut has been told of."""
        if isinstance(failure.value, SignedOut):
            self._shut.add(failure.value.store)
            return
        yield from super().miss(failure)

    def _ask_page(self, walk: ShopWalk, began_at: datetime) -> Request:
        inquiry = Inquiry(
            source=Source.SHOP,
            product=Topic(f"the goods of store {walk.store}, {walk.step}, page {walk.page}"),
            city=None,
            read=lambda heard: GoodsPage(heard.answer, walk.store).to_item(),
            then=partial(self._take_page, walk, began_at),
            otherwise=lambda: self._walk_on(walk.pass_over(), began_at),
        )
        is_on_sale = walk.step is not Step.TAKEN_OFF
        call = self.cabinet.offers(walk.store, walk.page, on_sale=is_on_sale)
        return self._ask(call, inquiry, walk.store)

    def _take_page(
        self, walk: ShopWalk, began_at: datetime, part: CabinetPage, heard: Heard
    ) -> Turn:
        if part.unreadable:
            topic = Topic(f"the goods of store {walk.store}, {walk.step}, page {walk.page}")
            yield self._unread(Source.SHOP, topic, None, heard, _unreadable(part))
        yield ShopPage(
            store=walk.store,
            on_sale=walk.step is not Step.TAKEN_OFF,
            page=walk.page,
            offers=tuple({offer.sku: offer for offer in part.offers}.values()),
            checked_at=heard.moment,
        )
        yield from self._walk_on(walk.add(part), began_at, heard)

    def _walk_on(self, walk: ShopWalk, began_at: datetime, heard: Heard | None = None) -> Turn:
        """Ask for the next page, or say how far the store was read."""
        if walk.step is not None:
            yield self._ask_page(walk, began_at)
        elif walk.whole and heard is not None:
            self.logger.info("Store %s was read whole: %d articles", walk.store, walk.count)
            yield ShopRead(
                store=walk.store,
                count=walk.count,
                began_at=began_at,
                checked_at=heard.moment,
                believed=self.believe,
            )
        else:
            self.crawler.stats.inc_value("stores_incomplete")
            self.logger.warning(
                "Store %s was not read whole: %d articles were held. They are kept, nothing is "
                "said to have vanished, and the next reading goes through it anew",
                walk.store,
                walk.count,
            )

    def _ask_whether_signed_in(self, store: MerchantId) -> Request:
        inquiry = Inquiry(
            source=Source.STORES,
            product=Topic(f"whether the account sees store {store}"),
            city=None,
            read=lambda heard: StoresAnswer(heard.answer, store).to_item(),
            then=self._say_signed_in,
        )
        return self._ask(self.cabinet.stores(), inquiry, store)

    def _say_signed_in(self, store: MerchantId, _heard: Heard) -> Turn:
        self.logger.info("The session of store %s is accepted", store)
        return iter(())

    def _ask(self, call: Call, inquiry: Inquiry, store: MerchantId) -> Request:
        """The question of an account; middlewares.sessions lets it in."""
        request = self.ask(call, inquiry)
        request.meta.update(kind="cabinet", account=store)
        return request


def _stores(named: tuple[MerchantId, ...] | None, settings: Settings) -> tuple[MerchantId, ...]:
    """The stores to read. Raises BadArgument for one without an account, NoKey."""
    from storage.accounts import kept  # noqa: PLC0415  (mistakes are told before it is loaded)
    from storage.ready import ready_address  # noqa: PLC0415

    held = kept(ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"])))
    known = {one.store: one for one in held}
    for store in named or ():
        if store not in known:
            raise BadArgument(
                f"stores: {store} has no account here. Add it: scrapy shop add {store}"
            )
    if not known:
        raise BadArgument("no store has an account. Add one: scrapy shop add 11271005")
    wanted = named or tuple(known)
    for store in wanted:
        known[store].opened(settings["KASPI_SECRET_KEY"])
        known[store].cookies(settings["KASPI_SECRET_KEY"])
    return wanted


def _unreadable(part: CabinetPage) -> Unreadable:
    return Unreadable("; ".join(part.unreadable), "The others are kept; look at the answer.")
