"""Who sells which card where, at what price and by what rule: dealt once from a seed."""

from collections.abc import Iterator
from random import Random

from domain.identity import ProductId
from domain.money import Tenge
from sandbox.boards import Delivery, Seat
from sandbox.catalogue import Card, Catalogue
from sandbox.merchants import Merchant, merchants
from sandbox.rivals import Limits, Newcomer, Quote, Rule, rule

#: (class, days) pairs as the offers API names them, the usual ones more often.
_PACES = (
    ("EXPRESS", 0),
    ("TODAY", 0),
    ("TOMORROW", 1),
    ("TOMORROW", 1),
    ("TILL_2_DAYS", 2),
    ("TILL_2_DAYS", 2),
    ("TILL_5_DAYS", 4),
    ("TILL_7_DAYS", 7),
)

#: The first cards' boards in Almaty, Astana and elsewhere are the ones that trip readers up.
_CORNERS: dict[int, tuple[int, int, int]] = {
    0: (150, 77, 12),
    1: (65, 64, 3),
    2: (64, 129, 0),
    3: (1, 2, 1),
    4: (0, 0, 0),
    5: (7, 0, 2),
    6: (0, 5, 0),
}


def stock(shop: Catalogue) -> Iterator[tuple[ProductId, tuple[tuple[Seat, ...], ...]]]:
    """Deal the seats of every card in Almaty, in Astana and elsewhere, in the catalogue's order."""
    sellers = merchants(shop.seed)
    random = Random(f"{shop.seed}/offers")  # noqa: S311 - plausible, not secret
    for place, card in enumerate(shop.cards.values()):
        sizes = _CORNERS.get(place) or _sizes(random)
        yield card.id, tuple(_seats(random, card, sellers, size) for size in sizes)


def _sizes(random: Random) -> tuple[int, int, int]:
    """How many sellers in Almaty, in Astana and elsewhere; some cards are missing in places."""
    lot = random.randrange(100)
    if lot < 2:
        return 0, 0, 0
    almaty, astana = _size(random), _size(random)
    return 0 if lot < 5 else almaty, 0 if 5 <= lot < 9 else astana, _size(random) // 3


def _size(random: Random) -> int:
    """1 to 150 sellers: most boards have 3 to 30, a few need paging."""
    lot = random.randrange(100)
    if lot < 9:
        return random.randint(1, 2)
    if lot < 62:
        return random.randint(3, 12)
    if lot < 88:
        return random.randint(13, 30)
    return random.randint(31, 64) if lot < 97 else random.randint(65, 150)


def _seats(
    random: Random, card: Card, sellers: tuple[Merchant, ...], size: int
) -> tuple[Seat, ...]:
    """So many sellers who are there from the start, and a few who will come."""
    price = max(100, card.price * random.randint(95, 106) // 100)
    late = random.randint(0, min(size // 6, len(sellers) - size))
    ways = [rule(random) for _ in range(size)] + [Newcomer()] * late
    dealt = zip(random.sample(sellers, len(ways)), ways, strict=True)
    return tuple(_seat(random, card, merchant, way, price) for merchant, way in dealt)


def _seat(random: Random, card: Card, merchant: Merchant, way: Rule, price: int) -> Seat:
    limits = _limits(random, price)
    return Seat(
        merchant=merchant,
        merchant_sku=_merchant_sku(random, card.id),
        title=_title(random, card),
        point=f"{merchant.id}_{random.choice(('PP1', 'PP1', 'PP2', 'PP3', '2'))}",
        rule=way,
        limits=limits,
        regular=limits.ask * 112 // 100 if random.random() < 0.12 else None,
        bonus=random.choice((1, 5, 10)) if random.random() < 0.2 else None,
        purchases=random.randrange(1, 900) if random.random() < 0.3 else None,
        delivery=_delivery(random, merchant),
        first=Quote(
            limits.ask,
            present=not isinstance(way, Newcomer),
            preorder=random.choice((2, 5, 14)) if random.random() < 0.1 else 0,
        ),
    )


def _limits(random: Random, price: int) -> Limits:
    """Most ask a little more than the cheapest, a few much more; many end in 990 or 000."""
    ask = price * (100 + random.randrange(random.choice((4, 12, 40)))) // 100
    ending = random.randrange(10)
    if ask > 3_000 and ending < 6:
        ask = ask // 1000 * 1000 + (990 if ending < 4 else 0)
    else:
        ask += random.randrange(60)
    return Limits(Tenge(max(1, ask * random.randint(82, 97) // 100)), Tenge(ask))


def _merchant_sku(random: Random, product: ProductId) -> str:
    lot = random.randrange(10)
    if lot < 2:
        return product
    number = random.randrange(100_000, 1_000_000_000)
    return f"{product}_{number}" if lot < 8 else f"арт. {number % 9973}/1"


def _title(random: Random, card: Card) -> str:
    lot = random.randrange(10)
    if lot == 0:
        return ""
    return card.title.upper() if lot == 1 else card.title


def _delivery(random: Random, merchant: Merchant) -> Delivery:
    duration, days = random.choice(_PACES)
    kinds = ("EXPRESS",) if duration == "EXPRESS" else ("TO_DOOR", "TO_DOOR", "PICKUP", "POSTOMAT")
    return Delivery(
        type=random.choice(kinds),
        duration=duration,
        days=days,
        hour=random.randint(9, 20),
        by_kaspi=not merchant.own_delivery,
        inter_city=days > 3,
        pickup=random.random() < 0.6,
        postomat=random.random() < 0.7,
        options=random.random() < 0.35,
        cost=random.choice((None, 0, 695, 995)),
    )
