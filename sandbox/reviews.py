"""The reviews API as recorded in 2025-06: shared inside a colour, groups of nobody left out."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from random import Random

import attrs
import msgspec

from domain.identity import ProductId
from domain.moments import almaty_date
from sandbox.catalogue import Card
from sandbox.merchants import Merchant, merchants
from sandbox.packing import Body
from sandbox.world import World

_TEXTS = {
    True: ("Всё отлично, спасибо!", "Качество хорошее, пришло вовремя.", "Өте жақсы, рахмет."),
    False: ("Пришло с царапиной.", "Не подошёл размер.", "Ожидал большего."),
}
_ALL_FILTERS = ("ALL", "RATING")


@attrs.frozen
class Review:
    """One buyer's stars, newest first; with a text, with pictures, or with neither."""

    number: int
    rating: int
    text: str
    pictures: int
    likes: int
    merchant: Merchant | None


@attrs.frozen
class Wanted:
    """What a request asks for; a filter that nobody has seen means COMMENT."""

    group: str = "COMMENT"
    sort: str = "POPULARITY"
    merchant: str = ""
    limit: int = 9
    page: int = 0
    with_totals: bool = False


#: Which reviews belong to a group, in the answer's order (recorded 2025-06: the last two add up
#: to COMMENT).
_GROUPS: Mapping[str, Callable[[Review], bool]] = {
    "ALL": lambda review: True,  # noqa: ARG005 - every review belongs
    "COMMENT": lambda review: bool(review.text),
    "PICTURE": lambda review: bool(review.pictures),
    "POSITIVE": lambda review: bool(review.text) and review.rating > 3,
    "NEGATIVE": lambda review: bool(review.text) and review.rating < 4,
}


@attrs.define
class ReviewsDesk:
    """Answers for every card; a group's reviews are invented when first asked for."""

    world: World
    _written: dict[str, tuple[Review, ...]] = attrs.Factory(dict)
    _kept: dict[tuple[ProductId, Wanted], Body] = attrs.Factory(dict)

    def answer(self, product: ProductId, wanted: Wanted) -> Body:
        """The answer's body; an unknown card has no reviews."""
        kept = self._kept.get((product, wanted))
        if kept is None:
            kept = self._kept[product, wanted] = Body([self._compose(product, wanted)])
        return kept

    def opinion(self, card: Card) -> tuple[int, int]:
        """The mean of a card's stars in hundredths, as listings round it, and its texts."""
        written = self._reviews(card)
        stars = sum(review.rating for review in written)
        mean = (stars * 200 // len(written) + 1) // 2 if written else 0
        return mean, sum(bool(review.text) for review in written)

    def _compose(self, product: ProductId, wanted: Wanted) -> bytes:
        card = self.world.cards.get(product)
        written = () if card is None else self._reviews(card)
        written = tuple(review for review in written if _sold_by(review, wanted.merchant))
        chosen = _ordered(_in_group(written, wanted.group), wanted.sort)
        first = wanted.page * wanted.limit
        page = chosen[first : first + wanted.limit]
        data = [self._entry(card, review) for review in page] if card else []
        return msgspec.json.encode(
            {"data": data} | (_totals(written) if wanted.with_totals else {})
        )

    def _reviews(self, card: Card) -> tuple[Review, ...]:
        written = self._written.get(card.review_group)
        if written is None:
            written = _write(self.world.shop.seed, card.review_group)
            self._written[card.review_group] = written
        return written

    def _entry(self, card: Card, review: Review) -> dict[str, object]:
        day = almaty_date(self.world.start - timedelta(hours=31 * review.number))
        gallery = {"galleryImages": _gallery(card, review)} if review.pictures else {}
        merchant = review.merchant
        return {
            "id": f"{int(card.id):016x}{review.number:016x}",
            "author": f"Автор {review.number + 1}",
            "date": day.strftime("%d.%m.%Y"),
            "orderNumber": f"{review.number:09d}",
            "rating": review.rating,
            "comment": {"minus": "", "plus": "", "text": review.text},
            "feedback": {"positive": review.likes, "voted": False},
            **gallery,
            "product": {
                "id": card.id,
                "name": card.title,
                "categoryCode": f"Master - {card.kind.leaf}",
                "categoryName": card.kind.path[-1][1],
                "link": f"https://kaspi.kz/shop{card.path}",
            },
            "merchant": {"name": merchant.name, "code": merchant.id} if merchant else None,
            "editable": False,
            "editedByCustomer": False,
        }


def _write(seed: int, group: str) -> tuple[Review, ...]:
    """A group's reviews: a few have none, most dozens, some thousands."""
    random = Random(f"{seed}/reviews/{group}")  # noqa: S311 - plausible, not secret
    sellers = merchants(seed)
    if random.random() < 0.12:
        return ()
    count = random.randint(1, random.choice((6, 30, 30, 300, 300, 3_000)))
    generous = random.choice((50, 70, 85, 95))
    return tuple(_review(random, number, generous, sellers) for number in range(count))


def _review(random: Random, number: int, generous: int, sellers: tuple[Merchant, ...]) -> Review:
    happy = random.randrange(100) < generous
    rating = random.choice((5, 5, 5, 4)) if happy else random.randint(1, 5)
    text = random.choice(_TEXTS[rating > 3]) if random.random() < 0.5 else ""
    pictures = random.randint(1, 3) if text and random.random() < 0.2 else 0
    merchant = random.choice(sellers) if random.random() < 0.7 else None
    return Review(number, rating, text, pictures, random.randrange(60), merchant)


def _sold_by(review: Review, code: str) -> bool:
    return not code or (review.merchant is not None and review.merchant.id == code)


def _in_group(written: Iterable[Review], group: str) -> list[Review]:
    named = "ALL" if group in _ALL_FILTERS else group
    belongs = _GROUPS.get(named, _GROUPS["COMMENT"])
    return [review for review in written if belongs(review)]


def _ordered(written: list[Review], sort: str) -> list[Review]:
    if sort == "DATE":
        return written
    if sort == "RATING":
        return sorted(written, key=lambda review: -review.rating)
    return sorted(written, key=lambda review: -review.likes)


def _totals(written: tuple[Review, ...]) -> dict[str, object]:
    counts = {rate: sum(review.rating == rate for review in written) for rate in (5, 4, 3, 2, 1)}
    groups = {name: len(_in_group(written, name)) for name in _GROUPS}
    stars = [{"rate": rate, "count": count} for rate, count in counts.items()]
    return {
        "summary": {"global": _mean(written), "statistic": stars if written else []},
        "groupSummary": [{"id": name, "total": total} for name, total in groups.items() if total],
        "imagesSummaryCount": sum(review.pictures for review in written),
    }


def _mean(written: tuple[Review, ...]) -> float:
    """The mean in tenths, as the API rounds it; 0.0 of nothing."""
    if not written:
        return 0.0
    return (sum(review.rating for review in written) * 20 // len(written) + 1) // 2 / 10


def _gallery(card: Card, review: Review) -> list[dict[str, str]]:
    names = [
        f"{review.number:09d}-{card.id}/00000000-0000-4000-8000-{picture:012d}.jpg"
        for picture in range(review.pictures)
    ]
    address = "https://resources.cdn-kaspi.kz/img/p/r"
    sizes = ("small", "medium", "large")
    return [
        {"id": name} | {size: f"{address}/{name}?format=review_{size}" for size in sizes}
        for name in names
    ]
