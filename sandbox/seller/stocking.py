"""Which goods one merchant of the market has, at which points: dealt once, as the boards say."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random

import attrs

from domain.identity import ALMATY_CITY, CityId, MerchantId, ProductId
from sandbox.boards import Seat
from sandbox.catalogue import Card
from sandbox.rivals import Quote, Sleeper
from sandbox.seller.goods import Listing, Place, Update
from sandbox.world import ASTANA_CITY, ELSEWHERE, World

#: The city by whose price and points all cities but the stocked ones see us.
SHYMKENT_CITY = CityId("511010000")
#: The market that a city of ours stands for.
MARKETS: Mapping[CityId, CityId] = {
    ALMATY_CITY: ALMATY_CITY,
    ASTANA_CITY: ASTANA_CITY,
    SHYMKENT_CITY: ELSEWHERE,
}
#: A store's points with their cities; there are points beyond PP5 (recorded 2025-05: PP10).
POINTS: Mapping[str, CityId] = {
    "PP1": ALMATY_CITY,
    "PP2": ALMATY_CITY,
    "PP3": ASTANA_CITY,
    "PP10": SHYMKENT_CITY,
}
_Standing = Mapping[CityId, tuple[Seat, Quote]]


def busiest(world: World) -> MerchantId:
    """The merchant with most offers."""
    counted = Counter(
        seat.merchant.id
        for boards in world.boards.values()
        for board in boards.values()
        for seat in board.seats
    )
    return counted.most_common(1)[0][0]


def take_over(world: World, merchant: MerchantId) -> Iterator[Listing]:
    """Make a merchant ours: his rules move his prices no more, and each of his goods has one sku.

    Raises LookupError for a merchant who sells nothing here.
    """
    ours = [
        (card, standing)
        for card in world.cards.values()
        if (standing := _standing(world, card.id, merchant))
    ]
    if not ours:
        raise LookupError(f"merchant {merchant} sells nothing in this market")
    for card, standing in ours:
        listing = _listing(world, card, merchant, standing)
        for city in MARKETS:
            _seat(world, listing, city, standing)
        yield listing


def _standing(world: World, product: ProductId, merchant: MerchantId) -> _Standing:
    found = {}
    for city, market in MARKETS.items():
        board = world.boards[market][product]
        for seat, quote in zip(board.seats, board.quotes, strict=True):
            if seat.merchant.id == merchant:
                found[city] = (seat, quote)
    return found


def _seat(world: World, listing: Listing, city: CityId, standing: _Standing) -> None:
    """His seat on a board, from now on moved by the cabinet alone; where he had none, a new one."""
    seat, quote = standing.get(city) or next(iter(standing.values()))
    point = next((place.store_id for place in listing.places if city_of(place) == city), seat.point)
    kept = attrs.evolve(seat, merchant_sku=listing.sku, rule=Sleeper(), point=point)
    absent = attrs.evolve(quote, present=False)
    world.take_seat(listing.product, MARKETS[city], kept, absent)


def city_of(place: Place) -> CityId:
    """Where a point is."""
    return POINTS[place.store_id.rpartition("_")[2]]


def _listing(world: World, card: Card, merchant: MerchantId, standing: _Standing) -> Listing:
    random = Random(f"{world.shop.seed}/{merchant}/{card.id}")  # noqa: S311 - plausible, not secret
    prices = {city: quote.price for city, (_, quote) in standing.items()}
    places = tuple(_places(random, merchant, standing))
    began = world.now - timedelta(minutes=random.randrange(60 * 24 * 90))
    listed = Update(operation="ON_SALE", by="user@example.kz", at=began)
    return Listing(
        sku=f"{card.id}_{random.randrange(10**9):09d}",
        product=card.id,
        model=card.title,
        offer_id=f"{random.getrandbits(96):024x}",
        price=min(prices.values()),
        city_prices=prices,
        places=places,
        changed_at=began,
        deadline=began + timedelta(days=1),
        archived_at=None if any(place.available for place in places) else began,
        updates=(listed,),
    )


def _places(random: Random, merchant: MerchantId, standing: _Standing) -> Iterator[Place]:
    """The points of every city where he sells; what is not there now is there as `no`.

    Some goods have no stock kept at all, a few not at every point.
    """
    keeps = random.random() < 0.7
    for city, (_, quote) in standing.items():
        codes = [code for code, place in POINTS.items() if place == city]
        for code in codes[: random.randint(1, len(codes))]:
            specified = keeps and random.random() < 0.9
            yield Place(
                store_id=f"{merchant}_{code}",
                available=quote.present,
                stock=random.randint(1, 600) if specified else 0,
                specified=specified,
                preorder=quote.preorder,
            )
