"""The playground's own switches under /sandbox/: move time, force a change, ask for the truth."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

import attrs
import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from domain.identity import CityId, MerchantId, ProductId
from sandbox.answering import explained, json_answer
from sandbox.boards import Movement, TrueOffer
from sandbox.world import STOCKED, World

_KINDS = {
    "shop": "page",
    "offer-view": "offers",
    "review-view": "reviews",
    "product-view": "listing",
    "main-navigation": "menu",
    "robots.txt": "robots",
    "idmc.shop": "login",
    "mc.shop": "cabinet",
    "sandbox": "sandbox",
}


class Advance(Struct, forbid_unknown_fields=True):
    """How far to move the sandbox's clock: up to a month at once, for nobody else is served."""

    minutes: Annotated[int, Meta(ge=0, le=31 * 24 * 60)] = 0
    seconds: Annotated[int, Meta(ge=0, le=31 * 24 * 3600)] = 0


class Change(Struct, forbid_unknown_fields=True):
    """One offer to change by hand: a price in tenge, or whether it is there at all."""

    product: str
    city: str
    merchant: str
    price: int | None = None
    present: bool | None = None


@attrs.define
class Visits:
    """How many requests came, by kind of path and by remote address."""

    kinds: Counter[str] = attrs.Factory(Counter)
    addresses: Counter[str] = attrs.Factory(Counter)

    def count(self, request: web.Request) -> None:
        """Note one request."""
        steps = [step for step in request.path.split("/") if step and step != "yml"]
        self.kinds[_KINDS.get(steps[0] if steps else "", "other")] += 1
        self.addresses[request.remote or "unknown"] += 1


@attrs.frozen
class Control:
    """Handlers of the switches. What is wrong with a request is said in its 400 answer."""

    world: World
    visits: Visits
    #: Waits for what a moment began: price lists that are being fetched.
    settled: Callable[[], Awaitable[None]]

    def routes(self) -> list[web.RouteDef]:
        """All switches with their paths."""
        return [
            web.post("/sandbox/advance", explained(self.advance)),
            web.post("/sandbox/set", explained(self.change)),
            web.get("/sandbox/products", explained(self.products)),
            web.get("/sandbox/ledger/{product}/{city}", explained(self.ledger)),
            web.get("/sandbox/requests", explained(self.requests)),
        ]

    async def advance(self, request: web.Request) -> web.Response:
        """Let time pass; answer what became of all markets together and of each."""
        wanted = msgspec.json.decode(await request.read(), type=Advance)
        pause = timedelta(minutes=wanted.minutes, seconds=wanted.seconds)
        markets = self.world.advance(self.world.now + pause)
        await self.settled()
        total = attrs.asdict(sum(markets.values(), Movement()))
        cities = {city: attrs.asdict(moved) for city, moved in markets.items()}
        return json_answer({"now": self.world.now, **total, "cities": cities})

    async def change(self, request: web.Request) -> web.Response:
        """Force one offer; answer the true board after it."""
        wanted = msgspec.json.decode(await request.read(), type=Change)
        product, city = ProductId(wanted.product), CityId(wanted.city)
        merchant = MerchantId(wanted.merchant)
        self.world.force(product, city, merchant, price=wanted.price, present=wanted.present)
        return json_answer({"offers": _lines(self.world.board_at(product, city, self.world.now))})

    async def products(self, request: web.Request) -> web.Response:
        """All cards with their addresses here, and how many offers each stocked city has."""
        origin = str(request.url.origin())
        listed = []
        for card in self.world.cards.values():
            counts = {city: len(self.world.board(card.id, city).standing) for city in STOCKED}
            address = f"{origin}/shop{card.path}"
            listed.append(
                {"id": card.id, "address": address}
                | {"has_offers": any(counts.values()), "offers": counts}
            )
        return json_answer(listed)

    async def ledger(self, request: web.Request) -> web.Response:
        """The true board now, or at a real moment given as `at`."""
        product = ProductId(request.match_info["product"])
        city = CityId(request.match_info["city"])
        at = request.query.get("at")
        moment = self.world.real_clock() if at is None else _moment(at)
        offers = self.world.board_at_real(product, city, moment)
        return json_answer(
            {"product": product, "city": city, "at": moment, "offers": _lines(offers)}
        )

    async def requests(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """How many requests came, by kind and by address."""
        return json_answer({"kinds": self.visits.kinds, "addresses": self.visits.addresses})


def _moment(text: str) -> datetime:
    """A moment with its zone; a plus sign that became a blank in the address is put back."""
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    if moment.tzinfo is None:
        raise ValueError(f"at={text} has no zone: write 2026-09-18T19:00:00+00:00")
    return moment


def _lines(offers: tuple[TrueOffer, ...]) -> list[dict[str, object]]:
    ordered = sorted(offers, key=lambda offer: (offer.price, offer.merchant_id))
    return [attrs.asdict(offer) for offer in ordered]
