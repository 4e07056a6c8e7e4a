"""Stage 150: validate: refuse what cannot be true."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from scrapy.exceptions import DropItem

from domain.cabinet import CabinetOffer, ShopPage, ShopRead
from domain.categories import CategoryTree, SitemapCategories
from domain.listing import FoundVariants, ListingPage
from domain.money import DEAREST
from domain.offers import OfferBoard
from domain.product import ProductCard
from domain.readings import Discovery, Finding, ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary, ReviewTexts

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
        case ShopPage():
            yield from _of_shop(reading)
        case ShopRead():
            yield from _of_moment(reading.checked_at, f"store {reading.store}")
        case _:
            yield from _of_discovery(reading)


def _of_discovery(reading: Discovery) -> Iterator[str]:
    match reading:
        case ReviewTexts():
            yield from _of_texts(reading)
        case ListingPage():
            yield from _of_listing(reading)
        case FoundVariants():
            yield from _of_variants(reading)
        case CategoryTree() | SitemapCategories():
            yield from _of_categories(reading)


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


def _of_texts(page: ReviewTexts) -> Iterator[str]:
    where = f"page {page.page} of the reviews of {page.kaspi_id}"
    if len({review.id for review in page.reviews}) != len(page.reviews):
        yield f"{where} names a review twice"
    for review in page.reviews:
        if not 1 <= review.rating <= 5:
            yield f"{where} has a review of {review.rating} stars: expected 1 to 5"
    yield from _of_moment(page.checked_at, where)


def _of_listing(page: ListingPage) -> Iterator[str]:
    where = f"page {page.page} of the listing of {page.query} in city {page.city_id}"
    if len({card.card_id for card in page.cards}) != len(page.cards):
        yield f"{where} names a card twice"
    for card in page.cards:
        if card.kaspi_id is not None and not card.kaspi_id.isdigit():
            yield f"{where} has a product whose id is not a number: {card.kaspi_id}"
        for price in (card.unit_price, card.sale_price, card.price_before_discount):
            if price is not None and not 0 < price <= DEAREST:
                yield f"{where} has a price of {price} ₸ (card {card.card_id})"
        if card.rating is not None and not 0 <= card.rating <= Decimal(5):
            yield f"{where} has a rating of {card.rating} (card {card.card_id})"
    yield from _of_moment(page.checked_at, where)


def _of_variants(found: FoundVariants) -> Iterator[str]:
    where = f"the variants of card {found.card_id}"
    for variant in found.variants:
        if not variant.isdigit():
            yield f"{where} have an id that is not a number: {variant}"
    yield from _of_moment(found.checked_at, where)


def _of_shop(page: ShopPage) -> Iterator[str]:
    where = f"page {page.page} of the goods of store {page.store}"
    if len({offer.sku for offer in page.offers}) != len(page.offers):
        yield f"{where} names an article twice"
    for offer in page.offers:
        yield from _of_own_offer(offer, page, where)
    yield from _of_moment(page.checked_at, where)


def _of_own_offer(offer: CabinetOffer, page: ShopPage, where: str) -> Iterator[str]:
    if offer.store != page.store:
        yield f"{where} has an article of store {offer.store}: {offer.sku}"
    if not offer.sku:
        yield f"{where} has an article without a name"
    for price in (offer.price, *offer.city_prices.values()):
        if price is not None and not 0 < price <= DEAREST:
            yield f"{where} has a price of {price} ₸ (article {offer.sku})"


def _of_categories(found: CategoryTree | SitemapCategories) -> Iterator[str]:
    where = f"the categories of city {found.city_id}"
    if not found.categories:
        yield f"{where} are none"
    yield from _of_moment(found.checked_at, where)


def _of_moment(moment: datetime, where: str) -> Iterator[str]:
    if moment.tzinfo is None:
        yield f"{where} was read at a moment without a zone"
    elif moment > datetime.now(UTC) + _CLOCK_TOLERANCE:
        yield f"{where} was read in the future ({moment}): set this machine's clock"
