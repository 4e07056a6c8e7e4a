"""Stands in the way of every request: limits and bans of its exit, then the fault that is due."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

import attrs
from aiohttp import web
from aiohttp.typedefs import Handler

from domain.identity import ProductId
from sandbox.connections import reset
from sandbox.exits import DIRECT, EXIT_HEADER, Exit, Exits
from sandbox.faults import KINDS, Faults, Subject, Switches, subject
from sandbox.giving import Asked, give
from sandbox.refusals import refusal
from sandbox.world import World

#: What a lying exit answers, each as often as the others.
LIES = ("html_for_json", "captcha", "truncated", "other_product")


@attrs.define
class Trouble:
    """All that is wrong with a market on purpose."""

    world: World
    faults: Faults = attrs.Factory(Faults)
    exits: Exits = attrs.Factory(Exits)
    _lies_told: int = 0

    def set(self, switches: Switches) -> None:
        """Replace everything that is wrong; counts begin anew."""
        self.faults.set(switches)
        self.exits.set(switches)

    async def meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request as its exit and the switches want it; our own paths are always well."""
        if request.path.startswith("/sandbox/"):
            return await handler(request)
        through = self.exits.named(request.headers.get(EXIT_HEADER, DIRECT))
        if through.profile.state == "dead":
            reset(request.transport)
            return web.Response()
        refused = through.arrive()
        await asyncio.sleep(through.profile.pause)
        if refused:
            return refusal(_status(refused.status, request, through), refused.retry_after)
        return await self._answer(request, handler, through)

    async def _answer(
        self, request: web.Request, handler: Handler, through: Exit
    ) -> web.StreamResponse:
        about = subject(request.path)
        kind = self._kind(about, request, through) if about else None
        if about is None or kind is None:
            return await handler(request)
        self.faults.given[kind] += 1
        through.faults[kind] += 1
        asked = Asked(
            request=request,
            handler=handler,
            about=about,
            switches=self.faults.switches,
            other=_another(self.world.cards, about.product),
        )
        return await give(kind, asked)

    def _kind(self, about: Subject, request: web.Request, through: Exit) -> str | None:
        if through.profile.state == "lying":
            return self._lie(about)
        return self.faults.due(about, through.name, f"{request.method} {request.path_qs}")

    def _lie(self, about: Subject) -> str:
        self._lies_told += 1
        lies = [kind for kind in LIES if about.path in KINDS[kind].paths]
        return Random(self._lies_told).choice(lies)  # noqa: S311


def _status(status: int, request: web.Request, through: Exit) -> int:
    """Data centres get 429 for a page and 405 for a POST (seen 2026-02 and 2026-07)."""
    if through.profile.state != "datacenter":
        return status
    return 405 if request.method == "POST" else 429


def _another(cards: Mapping[ProductId, object], product: str) -> ProductId:
    """The card that follows another one in the shop."""
    listed: Sequence[ProductId] = tuple(cards)
    known = ProductId(product) in cards
    return listed[(listed.index(ProductId(product)) + 1) % len(listed)] if known else listed[0]
