"""The switches for what goes wrong, under /sandbox/: set it, see it, and ask for the counts."""

from collections.abc import Sequence

import attrs
from aiohttp import web

from domain.identity import CityId, ProductId
from sandbox.answering import explained, json_answer
from sandbox.faults import read_switches
from sandbox.pages import PagesDesk
from sandbox.proxies import ForwardProxy
from sandbox.spoiling import item_of
from sandbox.trouble import Trouble


@attrs.define
class FaultControl:
    """Handlers of the switches. What is wrong with a request is said in its 400 answer."""

    trouble: Trouble
    proxies: Sequence[ForwardProxy] = ()
    _pages: PagesDesk = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pages = PagesDesk(self.trouble.world)

    def routes(self) -> list[web.RouteDef]:
        """All switches with their paths."""
        return [
            web.get("/sandbox/faults", explained(self.told)),
            web.post("/sandbox/faults", explained(self.set)),
            web.get("/sandbox/exits", explained(self.exits)),
            web.get("/sandbox/exits/{name}", explained(self.exit)),
            web.get("/sandbox/state/{product}", explained(self.state)),
        ]

    async def set(self, request: web.Request) -> web.Response:
        """Replace everything that is wrong; {} heals. Counts begin anew."""
        self.trouble.set(read_switches(await request.read()))
        for proxy in self.proxies:
            await proxy.follow()
        return json_answer(self.trouble.faults.told())

    async def told(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """What is set, how often each kind was given, and what each kind means."""
        return json_answer(self.trouble.faults.told())

    async def exits(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The sandbox's own count of what came through each proxy."""
        return json_answer([one.told() for one in self.trouble.exits.proxied()])

    async def exit(self, request: web.Request) -> web.Response:
        """The same for one exit; `direct` is whoever comes without a proxy."""
        return json_answer(self.trouble.exits.named(request.match_info["name"]).told())

    async def state(self, request: web.Request) -> web.Response:
        """The item of a product's page, for the script of a page that came without it."""
        product = ProductId(request.match_info["product"])
        page = self._pages.page(product, CityId(request.query.get("c", "")))
        if page is None:
            raise LookupError(f"no card {product} in the sandbox")
        return json_answer(item_of(page.plain))
