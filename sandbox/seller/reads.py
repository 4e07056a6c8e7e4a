"""The cabinet's reads: the list, the details, the points, and the small ones.

What the points and the counts answer beside the keys named here was not recorded.
"""

from collections.abc import Iterable

import attrs
import msgspec
from aiohttp import web
from msgspec import Struct

from domain.identity import ALMATY_CITY, ProductId
from sandbox.cities import city_named
from sandbox.offers import spring_error
from sandbox.seller.details import details
from sandbox.seller.entrance import Entrance
from sandbox.seller.goods import Listing
from sandbox.seller.hosts import MC, json_reply
from sandbox.seller.sessions import Session
from sandbox.seller.shelf import Shelf
from sandbox.seller.shown import Json, item

#: The longest page that is given (seen in code 2026); the site itself asks for 10.
_LONGEST = 100


class Skus(Struct):
    """Which goods a call asks about."""

    sku: list[str]


class _BadQuery(ValueError):
    """A page that is none."""


@attrs.frozen
class ReadDesk:
    """Handlers of everything that changes nothing."""

    entrance: Entrance

    def routes(self) -> list[web.RouteDef]:
        """Their paths."""
        guarded = self.entrance.guarded
        return [
            web.get(f"{MC}/bff/offer-view/list", guarded(self.listed)),
            web.get(f"{MC}/bff/offer-view/details", guarded(self.detailed)),
            web.get(f"{MC}/bff/offer-view/points", guarded(self.points)),
            web.post(f"{MC}/offers/api/v1/offer/details", guarded(self.several)),
            web.get(f"{MC}/offers/api/v1/offer/count", guarded(self.count)),
            web.get(f"{MC}/offers/api/v1/price/lowest", guarded(self.lowest)),
        ]

    async def listed(self, request: web.Request, session: Session) -> web.Response:
        """One page of the store's goods."""
        shelf = self.entrance.shelf(session, request.query.get("m"))
        try:
            page, length = _page(request)
        except _BadQuery:
            return self._bad(request)
        found = [one for one in shelf.listings.values() if _wanted(request, one)]
        shown = found[page * length : (page + 1) * length]
        shelf.show(session.account.email, shown)
        return json_reply({"data": [_item(shelf, one) for one in shown], "total": len(found)})

    async def detailed(self, request: web.Request, session: Session) -> web.Response:
        """One of the goods with its points."""
        shelf = self.entrance.shelf(session, request.query.get("m"))
        found = _named(shelf, [request.query.get("s", "")])
        if not found:
            return self._bad(request, 404, "Not Found")
        shelf.show(session.account.email, found)
        return json_reply(_details(shelf, found[0]))

    async def several(self, request: web.Request, session: Session) -> web.Response:
        """The details of several."""
        shelf = self.entrance.shelf(session, request.query.get("m"))
        try:
            asked = msgspec.json.decode(await request.read(), type=Skus)
        except msgspec.DecodeError:
            return self._bad(request)
        found = _named(shelf, asked.sku)
        shelf.show(session.account.email, found)
        return json_reply([_details(shelf, one) for one in found])

    async def points(self, request: web.Request, session: Session) -> web.Response:
        """The store's points."""
        query = request.query
        shelf = self.entrance.shelf(session, query.get("merchantUid") or query.get("m"))
        told = [
            {"id": point, "name": point.rpartition("_")[2], "cityId": city}
            | {"cityName": city_named(city).name, "points": [point]}
            for point, city in shelf.points.items()
        ]
        return json_reply(told)

    async def count(self, request: web.Request, session: Session) -> web.Response:
        """How many goods are on sale."""
        shelf = self.entrance.shelf(session, request.query.get("m"))
        on_sale = sum(one.on_sale for one in shelf.listings.values())
        return json_reply({"published": on_sale, "archived": len(shelf.listings) - on_sale})

    async def lowest(self, request: web.Request, session: Session) -> web.Response:  # noqa: ARG002
        """The lowest price of a card; which city's is not told: here Almaty's."""
        product = ProductId(request.query.get("s", ""))
        world = self.entrance.world
        leader = world.board(product, ALMATY_CITY).leader if product in world.cards else None
        return json_reply({"price": float(leader[1].price) if leader else None})

    def _bad(
        self, request: web.Request, status: int = 400, error: str = "Bad Request"
    ) -> web.Response:
        body = spring_error(status, error, request.path.removeprefix(MC), self.entrance.now())
        return web.Response(body=body, status=status, content_type="application/json")


def _item(shelf: Shelf, listing: Listing) -> Json:
    return item(listing, shelf.world.cards[listing.product], shelf.merchant)


def _details(shelf: Shelf, listing: Listing) -> Json:
    return details(listing, shelf.world.cards[listing.product], shelf.merchant)


def _named(shelf: Shelf, skus: Iterable[str]) -> list[Listing]:
    return [shelf.listings[sku] for sku in skus if sku in shelf.listings]


def _page(request: web.Request) -> tuple[int, int]:
    """The page and its length. Raises _BadQuery."""
    page, length = (request.query.get(name, default) for name, default in (("p", "0"), ("l", "10")))
    if not (page.isascii() and page.isdecimal() and length.isascii() and length.isdecimal()):
        raise _BadQuery(f"p={page}, l={length}")
    if not 1 <= int(length) <= _LONGEST:
        raise _BadQuery(f"l={length}")
    return int(page), int(length)


def _wanted(request: web.Request, listing: Listing) -> bool:
    """Whether the filters let it through; `available` is the older name of `a`."""
    asked = request.query
    available = asked.get("a") or asked.get("available")
    if available is not None and (available == "true") is not listing.on_sale:
        return False
    text = asked.get("t", "").lower()
    searched = (listing.sku, listing.product, listing.model)
    if text and not any(text in said.lower() for said in searched):
        return False
    unspecified = any(not place.specified for place in listing.places)
    return asked.get("notSpecifiedStock") != "true" or unspecified
