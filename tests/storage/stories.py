"""Random stories of two products in two cities: what is read of them, in what order."""

import asyncio
from decimal import Decimal
from itertools import count

import attrs
from hypothesis import strategies as st

from domain.identity import ProductId
from domain.offers import Offer, OfferBoard
from domain.readings import ProductMissing, ProductReading, ProductRefresh
from domain.reviews import ReviewSummary
from storage.writer import BatchWriter, NotStored
from tests.building import ALMATY, ASTANA, board, card, missing, offer, refresh, reviews
from tests.storage.model import Memory

CITIES = (ALMATY, ASTANA)
#: Every example has products of its own, because all share one database.
numbers = count(1)
PAIR = (ProductId("a"), ProductId("b"))

merchants = st.sampled_from(["1", "2", "3", "4"])
offers = st.builds(
    offer,
    merchants,
    st.sampled_from([90, 100, 110]),
    seller=st.sampled_from(["Лавка", "Лавка у моста"]),
    merchant_rating=st.sampled_from([None, Decimal("4.5")]),
    merchant_reviews=st.sampled_from([10, 11]),
    delivery_days=st.sampled_from([None, 1]),
)
held_offers = st.lists(offers, max_size=4, unique_by=lambda offer: offer.merchant_id).map(tuple)
#: Steps of the clock in days: mostly on, now and then back, so that a reading comes too late.
pace = st.sampled_from([3, 3, 3, 1, 0, -5])


@st.composite
def stories(draw: st.DrawFn) -> list[list[ProductReading]]:
    """Batches of readings. The same few boards come again and again, as they do in life."""
    shelf = draw(st.lists(held_offers, min_size=1, max_size=3))
    batches: list[list[ProductReading]] = [[]]
    days = 0
    for _ in range(draw(st.integers(1, 30))):
        days += draw(pace)
        batches[-1].append(draw(readings(days * 24 * 60, shelf)))
        if draw(st.booleans()):
            batches.append([])
    return batches


@st.composite
def readings(draw: st.DrawFn, minutes: int, shelf: list[tuple[Offer, ...]]) -> ProductReading:
    product, city = draw(st.sampled_from(PAIR)), draw(st.sampled_from(CITIES))
    match draw(st.integers(0, 12)):
        case 0:
            return refresh(
                card=card(minutes, product=product), home_city=city, boards=(), reviews=None
            )
        case 1:
            return reviews(minutes, product=product, review_amount=draw(st.integers(0, 2)))
        case 2:
            return missing(minutes, product)
        case _:
            held = draw(st.sampled_from(shelf))
            unread = draw(st.sampled_from([0, 0, 1]))
            return board(
                *held[unread:],
                minutes=minutes,
                product=product,
                city=city,
                complete=not unread,
                total=len(held) + unread,
            )


def renamed(reading: ProductReading, name: ProductId) -> ProductReading:
    match reading:
        case ProductRefresh():
            return attrs.evolve(reading, card=attrs.evolve(reading.card, kaspi_id=name))
        case OfferBoard() | ReviewSummary() | ProductMissing():
            return attrs.evolve(reading, kaspi_id=name)


async def tell(writer: BatchWriter, story: list[list[ProductReading]]) -> Memory:
    """Write the story, as of products that nobody has heard of, and return what a model holds."""
    names = {name: ProductId(str(next(numbers))) for name in PAIR}
    memory = Memory()
    met: list[ProductReading] = [
        refresh(card=card(-1, product=name), boards=(), reviews=None) for name in PAIR
    ]
    for batch in [met, *story]:
        named = [renamed(reading, names[reading.kaspi_id]) for reading in batch]
        ends = await asyncio.gather(*map(writer.save, named), return_exceptions=True)
        assert all(end is None or isinstance(end, NotStored) for end in ends)
        for reading in named:
            memory.read(reading)
    return memory
