"""One store's shelf: its listings as they are, kept in step with the market's boards."""

from collections.abc import Iterable, Mapping
from functools import partial

import attrs

from domain.identity import CityId, MerchantId
from sandbox.rivals import Quote
from sandbox.seller.book import Book, Entry
from sandbox.seller.changing import changed, withdrawn, wrongs
from sandbox.seller.goods import Author, Change, Listing
from sandbox.seller.stocking import MARKETS, POINTS, city_of, take_over
from sandbox.seller.switches import SellerSwitches
from sandbox.world import World


@attrs.define
class Shelf:
    """All that one merchant sells, by sku. `name` is what buyers call him."""

    world: World
    book: Book
    merchant: MerchantId
    listings: dict[str, Listing] = attrs.field(init=False)
    #: What the cabinet last showed each account of a listing, by e-mail and sku.
    _shown: dict[tuple[str, str], Listing] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.listings = {made.sku: made for made in take_over(self.world, self.merchant)}

    @property
    def points(self) -> Mapping[str, CityId]:
        """The store's points by their whole names, 30000001_PP1, with their cities."""
        return {f"{self.merchant}_{code}": city for code, city in POINTS.items()}

    def show(self, email: str, listings: Iterable[Listing]) -> None:
        """Remember what an account has seen."""
        for listing in listings:
            self._shown[email, listing.sku] = listing

    def seen_by(self, email: str, sku: str) -> Listing | None:
        """How the cabinet last showed a listing to an account, or None if it never did."""
        return self._shown.get((email, sku))

    def apply(self, entry: Entry, change: Change, author: Author, switches: SellerSwitches) -> None:
        """Let an accepted change become true."""
        before = self.listings.get(change.sku)
        if before is None:
            entry.fate = "unknown_sku"
            return
        after = changed(before, change, author, self.world.now, switches)
        entry.applied_at = self.world.now
        entry.fate = "ignored" if after is before else "applied"
        if after.places is not before.places:
            entry.effects = wrongs(before, change)
        entry.removed = before.on_sale and not after.on_sale
        self.put(after, entry.id)

    def withdraw(self, sku: str, author: Author, by: str) -> None:
        """Take an item off sale at every point."""
        self.put(withdrawn(self.listings[sku], author, self.world.now), by)

    def put(self, listing: Listing, by: str) -> None:
        """Replace a listing, and let the boards and the book follow."""
        self.listings[listing.sku] = listing
        for city in MARKETS:
            self._publish(listing, city, by)

    def _publish(self, listing: Listing, city: CityId, by: str) -> None:
        board = self.world.board(listing.product, MARKETS[city])
        before, quote = board.quotes[board.seat_of(self.merchant)], quoted(listing, city)
        if quote == before or not (quote.present or before.present):
            return
        self.world.quote(listing.product, MARKETS[city], self.merchant, quote)
        note = partial(self.book.went_live, at=self.world.now, merchant=self.merchant)
        note(sku=listing.sku, city=city, price=quote.price, present=quote.present, by=by)


def quoted(listing: Listing, city: CityId) -> Quote:
    """What buyers of a city see of a listing: nothing without an open point there."""
    places = [place for place in listing.places if place.is_open and city_of(place) == city]
    preorder = min((place.preorder for place in places), default=0)
    return Quote(listing.price_in(city), present=bool(places), preorder=preorder)
