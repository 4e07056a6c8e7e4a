"""Who sells in the sandbox: invented shops with the ids, names and ratings of real shapes."""

from random import Random

import attrs

from domain.identity import MerchantId

#: Enough for the longest board of 150 offers, one a merchant.
AMOUNT = 160

_FIRST = ("Dala", "Kok", "Temir", "Nur", "Zhana", "Altyn", "Aq", "Sary", "Tau", "Bulaq", "Ulken")
_SECOND = ("Market", "Trade", "Store", "Shop", "Group", "Electronics", "Home", "Bazar", "Plus")
_RUSSIAN = ("Степной двор", "ТехноДала", "Мир вещей", "Склад №7", "Всё & сразу", "Горный", "У реки")
_WORDS = ("Zerde", "Tulpar", "Samal", "Qanat", "Uzdik")


@attrs.frozen(kw_only=True)
class Merchant:
    """A shop: `rating` and `reviews` are None for new ones, 0.0 after one (recorded 2026-09).

    `rating` is tenths of a point: 48 is 4.8.
    """

    id: MerchantId
    name: str
    rating: int | None
    reviews: int | None
    segment: int
    own_delivery: bool


def merchants(seed: int) -> tuple[Merchant, ...]:
    """All shops of one seed, in a fixed order."""
    random = Random(f"{seed}/merchants")  # noqa: S311 - plausible, not secret
    return tuple(_merchant(random, index) for index in range(AMOUNT))


def _merchant(random: Random, index: int) -> Merchant:
    rating, reviews = _reputation(random, index)
    return Merchant(
        id=MerchantId(_WORDS[index] if index < len(_WORDS) else _number(random, index)),
        name=_name(random, index),
        rating=rating,
        reviews=reviews,
        segment=random.randint(1, 4),
        own_delivery=random.random() < 0.4,
    )


def _number(random: Random, index: int) -> str:
    """5 to 8 digits; the last three are the shop's place, so that no two are the same."""
    return f"{random.randrange(10, 30_000)}{index:03d}"


def _name(random: Random, index: int) -> str:
    if index < len(_WORDS):
        return _WORDS[index]
    if index % 4 == 1:
        return f"ИП ПРИМЕР-{index}"
    word = f"{random.choice(_FIRST)} {random.choice(_SECOND)}"
    name = random.choice(_RUSSIAN) if index % 9 == 2 else word
    return f"{name} {index}" + (" " if index % 11 == 3 else "")


def _reputation(random: Random, index: int) -> tuple[int | None, int | None]:
    if index == 7:
        return 0, 1
    if random.random() < 0.12:
        return None, None
    return random.randint(39, 50), random.randrange(3, random.choice((40, 400, 4_000, 20_000)))
