"""Stage 150: validate: refuse what cannot be true."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from scrapy.exceptions import DropItem

from domain.money import DEAREST
from domain.offers import OfferBoard
from domain.product import ProductCard
from domain.readings import Finding, ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary

#: How far ahead of this machine's clock a reading may be dated.
_CLOCK_TOLERANCE = timedelta(minutes=5)

_merchant = attrgetter("merchant_id")


class Validate:
    """Drops a reading that contradicts itself, with a sentence that says how."""

    def process_item(self, item: Finding) -> Finding:
        """Let a true reading pass."""
        complaint = next(complaints(item), None)
        if complaint:
            raise DropItem(f"A reading was refused: {complaint}", log_level="ERROR")
        return item


def complaints(reading: Finding) -> Iterator[str]:
    """What is wrong with the reading, sentence by sentence."""
    match reading:
        case ProductRefresh():
            yield from _of_card(reading.card)
            for part in reading.parts:
                if part.kaspi_id != reading.kaspi_id:
                    yield f"product {reading.kaspi_id} came with a part of {part.kaspi_id}"
                yield from complaints(part)
        case OfferBoard():
            yield from _of_board(reading)
        case ReviewSummary():
            yield from _of_reviews(reading)
        case ProductMissing():
            yield from _of_moment(reading.checked_at, f"product {reading.kaspi_id}")


def _of_card(card: ProductCard) -> Iterator[str]:
    where = f"product {card.kaspi_id}"
    if not card.kaspi_id.isdigit():
        yield f"{where} has an id that is not a number"
    if not card.name:
        yield f"{where} has no name"
    for address in card.image_urls:
        if not address.startswith(("https://", "http://")):
            yield f"{where} has an image without an address: {address!r}"
    yield from _of_moment(card.checked_at, where)


def _of_board(board: OfferBoard) -> Iterator[str]:
    where = f"the board of {board.kaspi_id} in city {board.city_id}"
    merchants = set(map(_merchant, board.offers))
    if len(merchants) != len(board.offers):
        yield f"{where} names a merchant twice"
    if board.total < 0 or (board.complete and len(merchants) > board.total):
        yield f"{where} says that it has {board.total} offers and holds {len(merchants)}"
    if "" in merchants:
        yield f"{where} has an offer without a merchant"
    for offer in board.offers:
        if not 0 < offer.price <= DEAREST:
            yield f"{where} has a price of {offer.price} ₸ (merchant {offer.merchant_id})"
    yield from _of_moment(board.checked_at, where)


def _of_reviews(reviews: ReviewSummary) -> Iterator[str]:
    where = f"the reviews of {reviews.kaspi_id}"
    if reviews.rate is not None and not 0 <= reviews.rate <= Decimal(5):
        yield f"{where} have a rating of {reviews.rate}: expected 0 to 5"
    if any((count or 0) < 0 for count in (reviews.rating_amount, reviews.review_amount)):
        yield f"{where} have a negative count"
    yield from _of_moment(reviews.checked_at, where)


def _of_moment(moment: datetime, where: str) -> Iterator[str]:
    if moment.tzinfo is None:
        yield f"{where} was read at a moment without a zone"
    elif moment > datetime.now(UTC) + _CLOCK_TOLERANCE:
        yield f"{where} was read in the future ({moment}): set this machine's clock"
