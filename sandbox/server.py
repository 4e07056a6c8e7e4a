"""The storefront's address on this machine: routes, the way in, and a clock that may run."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import attrs
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from domain.identity import ALMATY_CITY, CityId, ProductId
from sandbox import navigation
from sandbox.catalogue import Card
from sandbox.control import Control, Visits
from sandbox.fault_control import FaultControl
from sandbox.faults import Switches
from sandbox.giving import MOVED, REPEATED
from sandbox.listing import ListingDesk, read_query
from sandbox.loopback import loopback
from sandbox.offers import Asked, BadRequest, OffersDesk, read_request, spring_error
from sandbox.packing import Body
from sandbox.pages import PagesDesk
from sandbox.proxies import open_proxies
from sandbox.reviews import ReviewsDesk, Wanted
from sandbox.seller.control import SellerControl
from sandbox.seller.seller import Seller, Shops
from sandbox.trouble import Trouble
from sandbox.world import TICK, World

_ID_AT_THE_END = re.compile(r"(?:^|-)(\d+b?)/?$")
_CITY_COOKIE = "kaspi.storefront.cookie.city"
_ROBOTS = b"User-agent: *\nCrawl-delay: 10\nDisallow: /shop/cart/\nDisallow: /yml/\n"
_SITEMAP = re.compile(r"Category-ru-KZT-([\w-]+)\.xml")
#: What nginx says to who has no Referer or is no browser (seen 2026-08).
_FORBIDDEN = (
    b"<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n"
    b"<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n"
    b"</body>\r\n</html>\r\n"
)
#: The longest body of a request, in bytes: a batch of pushes. Price lists are read in pieces.
_LONGEST_BODY = 4_000_000
#: Answers shorter than this are not worth packing, in bytes.
_WORTH_PACKING = 1_000


@asynccontextmanager
async def running(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float = 0,
    *,
    exits: int = 0,
    credentials: str | None = None,
    switches: Switches | None = None,
    shops: Shops | None = None,
) -> AsyncIterator[str]:
    """Serve a world while the block lasts, and hand over its address.

    Port 0 takes a free one. `speed` is sandbox seconds per real second; 0 stands still. So many
    `exits` get a proxy each, which ask for `credentials` (user:password) when there are some.
    `switches` say what is wrong from the beginning, `shops` which merchants are ours.
    Raises NotLoopback for any other bind address, OSError for a taken port, LookupError for a
    merchant who sells nothing.
    """
    trouble = Trouble(world)
    control = FaultControl(trouble)
    trouble.set(switches or Switches())
    app = application(world, control, Seller(world, shops or Shops()))
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    listening = loopback(host)
    await runner.setup()
    try:
        site = web.TCPSite(runner, listening, port)
        await site.start()
        told = address(listening, runner.addresses[0][1])
        through = [trouble.exits.named(f"exit-{number + 1}") for number in range(exits)]
        async with (
            _clock(world, speed),
            open_proxies(through, listening, told, credentials) as control.proxies,
        ):
            yield told
    finally:
        await runner.cleanup()


def address(host: str, port: int) -> str:
    """Where the sandbox is reached."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def application(world: World, control: FaultControl, seller: Seller) -> web.Application:
    """All routes over one world, with what is wrong in the way of each."""
    visits = Visits()
    way = list(way_in(visits, control.trouble))
    app = web.Application(middlewares=way, client_max_size=_LONGEST_BODY)
    app.add_routes(control.routes())
    app.add_routes(SellerControl(seller).routes())
    app.add_routes(seller.routes())
    app.add_routes(Storefront(world).routes())
    app.add_routes(Control(world, visits, seller.puller.finished).routes())
    return app


def way_in(visits: Visits, trouble: Trouble) -> Sequence[Middleware]:
    """What every request passes, outermost first: the counting, then what is wrong on purpose."""

    @web.middleware
    async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
        visits.count(request)
        return await handler(request)

    @web.middleware
    async def troubled(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await trouble.meet(request, handler)

    return (counted, troubled)


@attrs.define
class Storefront:
    """The marketplace's own paths."""

    world: World
    _pages: PagesDesk = attrs.field(init=False)
    _offers: OffersDesk = attrs.field(init=False)
    _reviews: ReviewsDesk = attrs.field(init=False)
    _listing: ListingDesk = attrs.field(init=False)
    _bases: dict[str, Card] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pages = PagesDesk(self.world)
        self._offers = OffersDesk(self.world)
        self._reviews = ReviewsDesk(self.world)
        self._listing = ListingDesk(self.world, self._reviews)
        self._bases = {}
        for card in self.world.cards.values():
            for code in card.base_codes[-1:]:
                self._bases.setdefault(code, card)

    def routes(self) -> list[web.RouteDef]:
        """Paths as the marketplace spells them; whatever else is asked is not found."""
        return [
            web.get("/shop/p/{tail:.+}", self.page),
            web.post("/yml/offer-view/offers/{product}", self.offers),
            web.route("*", "/yml/offer-view/offers/{product}", self.offers_refused),
            web.get("/yml/review-view/api/v1/reviews/product/{product}", self.reviews),
            web.get("/yml/product-view/pl/filters", self.listing),
            web.get("/yml/product-view/pl/results", self.listing),
            web.get("/yml/main-navigation/n/n/desktop-menu", self.menu),
            web.get("/shop/sitemap.xml", self.sitemap),
            web.get("/shop/{name:Category-[^/]+}", self.sitemap_of_a_city),
            web.get("/robots.txt", self.robots),
            web.get("/{tail:.*}", self.missing),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """A product's page in the city of the query, of the cookie, or in Almaty.

        A group of variants (its id ends in b) shows the page of its first variant.
        """
        number = _ID_AT_THE_END.search(request.match_info["tail"])
        base = self._bases.get(number[1]) if number else None
        product = base.id if base else ProductId(number[1] if number else "")
        body = self._pages.page(product, _city(request))
        if body is None:
            return await self.missing(request)
        return _answer(request, body, "text/html")

    async def missing(self, request: web.Request) -> web.Response:
        """The page for what is not there."""
        return _answer(request, self._pages.missing(), "text/html", status=404)

    async def offers(self, request: web.Request) -> web.Response:
        """Offers of one card in one city."""
        product = ProductId(request.match_info["product"])
        try:
            asked = _moved(read_request(await request.read()), request)
        except BadRequest:
            return self._refused(request, 400, "Bad Request")
        return _answer(request, self._offers.answer(product, asked), "application/json")

    async def offers_refused(self, request: web.Request) -> web.Response:
        """Any method but POST."""
        return self._refused(request, 405, "Method Not Allowed")

    async def reviews(self, request: web.Request) -> web.Response:
        """Reviews of one card, with the totals when asked for."""
        product = ProductId(request.match_info["product"])
        try:
            wanted = _wanted(request)
        except ValueError:
            return self._refused(request, 400, "Bad Request")
        return _answer(request, self._reviews.answer(product, wanted), "application/json")

    async def listing(self, request: web.Request) -> web.Response:
        """A page of a listing, for browsers that come from the shop."""
        if not _is_browser(request):
            return _answer(request, Body([_FORBIDDEN]), "text/html", status=403)
        try:
            asked = read_query(request.query, request.headers.get("X-KS-City"))
        except BadRequest:
            return self._refused(request, 400, "Bad Request")
        desk = self._listing
        first = request.path.endswith("/filters")
        body = desk.first(asked) if first else desk.following(asked)
        return _answer(request, body, "application/json")

    async def menu(self, request: web.Request) -> web.Response:
        """The categories, as deep as is asked for."""
        depth = request.query.get("depth", "1")
        if not (depth.isascii() and depth.isdecimal()):
            return self._refused(request, 400, "Bad Request")
        body = navigation.menu(int(depth), request.query.get("code"))
        return _answer(request, body, "application/json")

    async def sitemap(self, request: web.Request) -> web.Response:
        """The list of sitemaps."""
        return _answer(request, navigation.sitemap(str(request.url.origin())), "text/xml")

    async def sitemap_of_a_city(self, request: web.Request) -> web.Response:
        """The categories of one city."""
        named = _SITEMAP.fullmatch(request.match_info["name"])
        origin = str(request.url.origin())
        body = navigation.city_sitemap(origin, named[1]) if named else None
        return await self.missing(request) if body is None else _answer(request, body, "text/xml")

    async def robots(self, request: web.Request) -> web.Response:
        """What crawlers are asked to respect."""
        return _answer(request, Body([_ROBOTS]), "text/plain")

    def _refused(self, request: web.Request, status: int, error: str) -> web.Response:
        """A Spring error; its path is the inner service's, without what stands before it."""
        inner = "/" + request.path.split("/", 3)[-1]
        body = spring_error(status, error, inner, self.world.now)
        return _answer(request, Body([body]), "application/json", status=status)


def _city(request: web.Request) -> CityId:
    """The city a page is for; what is not a number counts as not said."""
    for said in (request.query.get("c", ""), request.cookies.get(_CITY_COOKIE, "")):
        if said.isdecimal() and said.isascii():
            return CityId(said)
    return ALMATY_CITY


def _moved(asked: Asked, request: web.Request) -> Asked:
    """The question, with what faults do to its pages."""
    return attrs.evolve(asked, moved=request.get(MOVED, 0), repeated=request.get(REPEATED, 0))


def _is_browser(request: web.Request) -> bool:
    """Whether a listing is shown: to a browser that says whence it comes (seen 2026-08)."""
    headers = request.headers
    return headers.get("User-Agent", "").startswith("Mozilla/") and bool(headers.get("Referer"))


def _wanted(request: web.Request) -> Wanted:
    """The query of a reviews request. Raises ValueError for a limit or page that is none."""
    said = request.query
    limit, page = int(said.get("limit", "9")), int(said.get("page", "0"))
    if limit < 1 or page < 0:
        raise ValueError(f"limit {limit}, page {page}")
    return Wanted(
        group=said.get("filter", "COMMENT"),
        sort=said.get("sort", "POPULARITY"),
        merchant=said.get("merchantCodes", ""),
        limit=limit,
        page=page,
        with_totals=said.get("withAgg") == "true",
    )


def _answer(request: web.Request, body: Body, kind: str, status: int = 200) -> web.Response:
    """Plain, or gzipped where the client takes it."""
    headers = {"Content-Type": f"{kind};charset=UTF-8", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", "") and body.size > _WORTH_PACKING:
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=body.gzipped, status=status, headers=headers)
    return web.Response(body=body.plain, status=status, headers=headers)


@asynccontextmanager
async def _clock(world: World, speed: float) -> AsyncIterator[None]:
    """Let the world's time run beside the real one, a tick at a time."""
    running_clock = asyncio.create_task(_keep_time(world, speed)) if speed > 0 else None
    try:
        yield
    finally:
        if running_clock:
            running_clock.cancel()
            with suppress(asyncio.CancelledError):
                await running_clock


async def _keep_time(world: World, speed: float) -> None:
    """Advance whole ticks only, at most twenty times a real second."""
    pause = max(TICK.total_seconds() / speed, 0.05)
    owed, before = 0.0, time.monotonic()
    while True:
        await asyncio.sleep(pause)
        now = time.monotonic()
        owed, before = owed + (now - before) * speed, now
        ticks, owed = divmod(owed, TICK.total_seconds())
        if ticks:
            world.advance(world.now + int(ticks) * TICK)
