"""The sandbox's shop, rendered before it is asked, so that serving it costs next to nothing."""

import re

import attrs

from domain.identity import ALMATY_CITY, ProductId
from sandbox.offers import OffersDesk, read_request
from sandbox.pages import PagesDesk
from sandbox.reviews import ReviewsDesk, Wanted
from sandbox.world import TICK, World, world

_PAGE = re.compile(r"/shop/p/-(\d+)/")
_OFFERS = re.compile(r"/yml/offer-view/offers/(\d+)")
_REVIEWS = re.compile(r"/yml/review-view/api/v1/reviews/product/(\d+)")


@attrs.define
class Shop:
    """Packed pages, offers and reviews of a world."""

    world: World
    _pages: dict[str, bytes] = attrs.field(factory=dict)
    _offers: OffersDesk = attrs.field(init=False)
    _reviews: ReviewsDesk = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._offers = OffersDesk(self.world)
        self._reviews = ReviewsDesk(self.world)
        self._render()

    @classmethod
    def of(cls, products: int) -> "Shop":
        """A shop of so many cards."""
        return cls(world(products=products))

    def tick(self) -> None:
        """Let an hour pass, in which rivals reprice."""
        self.world.advance(self.world.now + 4 * TICK)
        self._render()

    def answer(self, path: str, question: bytes) -> tuple[bytes, str]:
        """The packed body and its kind."""
        if page := _PAGE.match(path):
            return self._pages[page[1]], "text/html"
        if offers := _OFFERS.match(path):
            body = self._offers.answer(ProductId(offers[1]), read_request(question))
            return body.gzipped, "application/json"
        return self._reviews_of(path), "application/json"

    def _reviews_of(self, path: str) -> bytes:
        asked = _REVIEWS.match(path)
        if asked is None:
            raise ValueError(f"nobody asks for {path}")
        wanted = Wanted(limit=1, with_totals=True)
        return self._reviews.answer(ProductId(asked[1]), wanted).gzipped

    def _render(self) -> None:
        desk = PagesDesk(self.world)
        for product in self.world.cards:
            page = desk.page(product, ALMATY_CITY)
            assert page
            self._pages[product] = page.gzipped
            self._reviews_of(f"/yml/review-view/api/v1/reviews/product/{product}")
