"""Stage 200: deduplicate: one reading of each thing in a crawl."""

from scrapy.exceptions import DropItem

from domain.cabinet import ShopPage, ShopRead
from domain.categories import CategoryTree, SitemapCategories
from domain.listing import FoundVariants, ListingPage
from domain.offers import OfferBoard
from domain.readings import Discovery, Finding, ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary, ReviewTexts


class Deduplicate:
    """Remembers what the crawl has read, as one number a reading."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def process_item(self, item: Finding) -> Finding:
        """Let the first reading of each thing pass."""
        key = hash(subject(item))
        if key in self._seen:
            raise DropItem(f"Read twice in one crawl: {' '.join(subject(item))}")
        self._seen.add(key)
        return item


def subject(reading: Finding) -> tuple[str, ...]:
    """What a reading is about."""
    match reading:
        case OfferBoard():
            return ("board", reading.kaspi_id, reading.city_id)
        case ProductRefresh() | ProductMissing():
            return ("product", reading.kaspi_id)
        case ReviewSummary():
            return ("reviews", reading.kaspi_id)
        case ShopPage():
            place = f"{'on' if reading.on_sale else 'off'} sale, page {reading.page}"
            return ("goods", reading.store, place, str(reading.checked_at))
        case ShopRead():
            return ("shop", reading.store)
        case _:
            return _discovered(reading)


def _discovered(reading: Discovery) -> tuple[str, ...]:
    match reading:
        case ReviewTexts():
            return ("texts", reading.kaspi_id, str(reading.page))
        case FoundVariants():
            return ("variants", reading.card_id)
        case ListingPage():
            return ("listing", *map(str, (reading.query, reading.city_id, reading.page)))
        case CategoryTree():
            return ("categories", reading.source, reading.city_id, str(reading.checked_at))
        case SitemapCategories():
            return ("sitemap", reading.city_id)
