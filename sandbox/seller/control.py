"""The seller's switches under /sandbox/seller: the mailbox, the book, edits, lists by address."""

from collections.abc import Sequence
from typing import Annotated

import attrs
import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from domain.identity import MerchantId
from sandbox.answering import explained, json_answer
from sandbox.seller.editing import Edit, edited
from sandbox.seller.exporting import active_xml
from sandbox.seller.hosts import IDMC, MC, origin
from sandbox.seller.pulls import Source
from sandbox.seller.seller import Seller
from sandbox.seller.shelf import Shelf
from sandbox.seller.switches import explained_switches, read_seller_switches

#: Lines of the book in one answer, unless said otherwise.
_PAGE = 10_000


class Ending(Struct, forbid_unknown_fields=True):
    """Whose sessions end: an account's by its e-mail, or everybody's."""

    account: str | None = None


class Address(Struct, forbid_unknown_fields=True):
    """Where a store's list is; null stops the pulls. No store said is the first."""

    url: Annotated[str, Meta(min_length=1)] | None = None
    merchant: str | None = None
    login: str | None = None
    password: str | None = None


class Store(Struct, forbid_unknown_fields=True):
    """A store; none said is the first."""

    merchant: str | None = None


@attrs.frozen
class SellerControl:
    """Handlers of the seller's switches. What is wrong is said in the 400 or 404 answer."""

    seller: Seller

    def routes(self) -> list[web.RouteDef]:
        """All of them with their paths."""
        door = "/sandbox/seller"
        return [
            web.get(door, explained(self.told)),
            web.get(f"{door}/switches", explained(self.switches)),
            web.post(f"{door}/switches", explained(self.set)),
            web.get(f"{door}/mailbox", explained(self.mailbox)),
            web.post(f"{door}/expire", explained(self.expire)),
            web.get(f"{door}/goods", explained(self.goods)),
            web.get(f"{door}/active.xml", explained(self.active)),
            web.post(f"{door}/edit", explained(self.edit)),
            web.get(f"{door}/feed", explained(self.feed)),
            web.post(f"{door}/feed", explained(self.follow)),
            web.post(f"{door}/feed/pull", explained(self.pull)),
            web.get(f"{door}/book", explained(self.book)),
            web.get(f"{door}/book/{{part}}", explained(self.lines)),
        ]

    async def told(self, request: web.Request) -> web.Response:
        """Where the hosts are, who may sign in, and how the accounts stand."""
        here, seller = origin(request), self.seller
        people = [
            attrs.asdict(one) | {"blocked_for": seller.limits.blocked_for(one.email)}
            for one in seller.accounts
        ]
        return json_answer(
            {
                "mc": f"{here}{MC}",
                "idmc": f"{here}{IDMC}",
                "accounts": people,
                "now": seller.world.now,
                "sessions": len(seller.sessions.cabinets),
                "sessions_ended": seller.sessions.ended,
            }
        )

    async def switches(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """What is set, and what each switch is about."""
        return json_answer({"set": self.seller.switches, "switches": explained_switches()})

    async def set(self, request: web.Request) -> web.Response:
        """Replace all switches; {} brings the defaults back."""
        self.seller.set(read_seller_switches(await request.read()))
        return await self.switches(request)

    async def mailbox(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Every code that was sent by mail or SMS, the latest last."""
        return json_answer([attrs.asdict(letter) for letter in self.seller.mailbox.letters])

    async def expire(self, request: web.Request) -> web.Response:
        """End sessions of the cabinet."""
        whose = msgspec.json.decode(await request.read() or b"{}", type=Ending)
        return json_answer({"ended": self.seller.sessions.end_all(whose.account)})

    async def goods(self, request: web.Request) -> web.Response:
        """A store's listings as they truly are."""
        shelf = self._shelf(request.query.get("merchant"))
        return json_answer(
            {
                "merchant": shelf.merchant,
                "points": shelf.points,
                "listings": list(shelf.listings.values()),
            }
        )

    async def active(self, request: web.Request) -> web.Response:
        """A store's goods on sale, as the cabinet exports them."""
        shelf = self._shelf(request.query.get("merchant"))
        return web.Response(body=active_xml(shelf), content_type="application/xml")

    async def edit(self, request: web.Request) -> web.Response:
        """Change a listing as if somebody else had, at once."""
        edit = msgspec.json.decode(await request.read(), type=Edit)
        shelf = self._shelf(request.query.get("merchant"))
        shelf.put(edited(shelf, edit), "outside")
        return json_answer(attrs.asdict(shelf.listings[edit.sku]))

    async def feed(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The addresses that are followed, every pull, and every list that came."""
        puller = self.seller.puller
        sources = {store: {"url": one.url} for store, one in puller.sources.items()}
        return json_answer(
            {
                "sources": sources,
                "pulls": [attrs.asdict(one) for one in puller.pulls],
                "lists": [attrs.asdict(one) for one in self.seller.files.came],
            }
        )

    async def follow(self, request: web.Request) -> web.Response:
        """Fetch a store's list by its address from now on."""
        wanted = msgspec.json.decode(await request.read(), type=Address)
        store = self._shelf(wanted.merchant).merchant
        if wanted.url is None:
            self.seller.puller.leave(store)
        else:
            email = next(one.email for one in self.seller.accounts if store in one.merchants)
            source = Source(
                url=wanted.url, email=email, login=wanted.login, password=wanted.password
            )
            self.seller.puller.follow(store, source)
        return await self.feed(request)

    async def pull(self, request: web.Request) -> web.Response:
        """Fetch it now, and say what came of it."""
        wanted = msgspec.json.decode(await request.read() or b"{}", type=Store)
        told = await self.seller.puller.pull(self._shelf(wanted.merchant).merchant)
        return json_answer(attrs.asdict(told))

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The book in numbers."""
        return json_answer(self.seller.book.told())

    async def lines(self, request: web.Request) -> web.Response:
        """Its changes, live prices or refusals, those after a number first."""
        book, part = self.seller.book, request.match_info["part"]
        parts: dict[str, Sequence[attrs.AttrsInstance]] = {
            "changes": book.changes,
            "live": book.live,
            "refusals": book.refusals,
        }
        if part not in parts:
            raise LookupError(f"the book has no {part}: {', '.join(parts)}")
        first, most = int(request.query.get("first", 0)), int(request.query.get("most", _PAGE))
        return json_answer(parts[part][first : first + most])

    def _shelf(self, merchant: str | None) -> Shelf:
        shelves = self.seller.shelves
        if merchant is None:
            return next(iter(shelves.values()))
        if merchant not in shelves:
            raise LookupError(f"{merchant} is none of our stores: {', '.join(shelves)}")
        return shelves[MerchantId(merchant)]
