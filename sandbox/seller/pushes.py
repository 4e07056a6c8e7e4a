"""The cabinet's writes: one change, or many at once; 200 and an id mean accepted and no more.

Shapes as captured 2025-05 and 2026-08. What a body that cannot be understood gets was not recorded:
here a Spring error.
"""

from collections import Counter
from typing import Annotated

import attrs
import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from domain.identity import CityId
from domain.money import Tenge, tenge
from sandbox.offers import spring_error
from sandbox.refusals import too_many
from sandbox.seller.applying import Queue
from sandbox.seller.entrance import Entrance
from sandbox.seller.goods import Author, Availability, Change
from sandbox.seller.hosts import MC, json_reply
from sandbox.seller.limits import Limits
from sandbox.seller.sessions import Session
from sandbox.seller.shelf import Shelf

_Whole = Annotated[int, Meta(ge=0)]


class CityPrice(Struct, rename="camel"):
    """A city's price; `oldprice` comes along when a client echoes the list."""

    city_id: str
    value: int


class Point(Struct, rename="camel", kw_only=True):
    """One point of a push."""

    available: str
    store_id: str
    stock_count: _Whole | None = None
    pre_order: Annotated[int, Meta(ge=0, le=30)] | None = None
    stock_enabled: bool | None = None


class Push(Struct, rename="camel", kw_only=True):
    """One change as it is sent; keys that we do not know are let pass."""

    merchant_uid: str
    sku: str
    model: str | None = None
    brand: str | None = None
    price: int | None = None
    city_prices: list[CityPrice] | None = None
    availabilities: list[Point] | None = None
    pre_order: int | None = None

    def change(self, shelf: Shelf) -> Change:
        """What it asks for; points that the store has not are not there.

        Raises NotMoney for a price that is none.
        """
        return Change(
            sku=self.sku,
            model=self.model,
            price=None if self.price is None else tenge(self.price),
            city_prices={CityId(one.city_id): _price(one) for one in self.city_prices or ()},
            places=None
            if self.availabilities is None
            else tuple(_said(one) for one in self.availabilities if one.store_id in shelf.points),
        )


#: What the batch takes.
Batch = Annotated[list[Push], Meta(min_length=1)]


def _price(one: CityPrice) -> Tenge:
    return tenge(one.value)


def _said(one: Point) -> Availability:
    return Availability(
        store_id=one.store_id,
        available=one.available == "yes",
        stock=one.stock_count,
        preorder=one.pre_order,
    )


@attrs.frozen
class PushDesk:
    """Handlers of `process`, of the batch, and of the call that tells whether a session writes."""

    entrance: Entrance
    queue: Queue
    limits: Limits

    def routes(self) -> list[web.RouteDef]:
        """Their paths; the doubled process is the marketplace's."""
        upload, guarded = f"{MC}/pricefeed/upload/merchant", self.entrance.guarded
        return [
            web.post(f"{upload}/process", guarded(self.single)),
            web.post(f"{upload}/process/process/batch", guarded(self.batch)),
            web.post(f"{upload}/upload/configuration", guarded(self.probe)),
        ]

    async def single(self, request: web.Request, session: Session) -> web.Response:
        """One change."""
        try:
            push = msgspec.json.decode(await request.read(), type=Push)
            changes = self._asked(session, [push])
        except (msgspec.DecodeError, ValueError):
            return self._bad(request)
        ids = self._take(session, changes, door="single")
        return json_reply(ids[0]) if ids else too_many(None)

    async def batch(self, request: web.Request, session: Session) -> web.Response:
        """Many changes of one store."""
        try:
            pushes = msgspec.json.decode(await request.read(), type=Batch)
            changes = self._asked(session, pushes)
        except (msgspec.DecodeError, ValueError):
            return self._bad(request)
        ids = self._take(session, changes, door="batch")
        return too_many(None) if ids is None else json_reply(ids)

    async def probe(self, request: web.Request, session: Session) -> web.Response:
        """Whether this session may write for a store (seen in code 2026)."""
        self.entrance.shelf(session, request.query.get("merchantUid"))
        return json_reply({}, headers={"X-Principal-Type": "2"})

    def _asked(self, session: Session, pushes: list[Push]) -> list[tuple[Shelf, Change]]:
        shelves = [self.entrance.shelf(session, push.merchant_uid) for push in pushes]
        return [(shelf, push.change(shelf)) for shelf, push in zip(shelves, pushes, strict=True)]

    def _take(
        self, session: Session, changes: list[tuple[Shelf, Change]], door: str
    ) -> list[dict[str, str]] | None:
        """The ids of the accepted changes, or None if a limit was met and nothing is taken."""
        author = Author(email=session.account.email, door=door, at=self.entrance.now())
        counts = Counter(shelf.merchant for shelf, _ in changes)
        why = self.limits.meet(author.email, counts, self.queue.switches())
        if why:
            self.queue.refuse(author, changes[0][0], why)
            return None
        return [{"id": self.queue.accept(shelf, change, author)} for shelf, change in changes]

    def _bad(self, request: web.Request) -> web.Response:
        inner = request.path.removeprefix(f"{MC}/pricefeed")
        body = spring_error(400, "Bad Request", inner, self.entrance.now())
        return web.Response(body=body, status=400, content_type="application/json")
