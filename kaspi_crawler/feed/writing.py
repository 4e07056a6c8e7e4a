"""A store's price feed, written from its listings; the command and the spider do it alike."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from scrapy.settings import BaseSettings

from domain.identity import MerchantId
from domain.moments import ALMATY
from domain.price_feed import FeedShop
from kaspi_crawler.feed.versions import FeedRefused, FeedWriter, Shelf, Terms, Written
from storage.feeds import RulesChanged, store_feed

#: How often a feed is written anew because its rules were changed meanwhile.
_TRIES = 3
_BY_FEED = {"feed", "both"}


def terms_of(settings: BaseSettings, *, omit: bool = False, shrink: bool = False) -> Terms:
    """How a version may follow the last one, as the settings and a person have it."""
    return Terms(
        publish=settings["PUBLISH"] in _BY_FEED,
        omit=omit,
        shrink=shrink,
        keep=settings.getint("FEED_VERSIONS"),
    )


def shelf_of(settings: BaseSettings, store: MerchantId) -> Shelf:
    """Where a store's feeds lie."""
    return Shelf(Path(settings["FEEDS_DIR"]), store)


def write_feed(address: str, shelf: Shelf, terms: Terms) -> Written:
    """Write a store's feed as it stands now, again when the rules were changed meanwhile.

    Raises FeedRefused and OSError: then the last feed stays. Raises NoSuchStore.
    """
    for _ in range(_TRIES):
        now = datetime.now(UTC)
        try:
            with store_feed(address, shelf.store) as feed:
                date = now.astimezone(ALMATY).strftime("%Y-%m-%d %H:%M:%S")
                shop = FeedShop(merchant=shelf.store, company=feed.company, date=date)
                writer = FeedWriter(shelf=shelf, shop=shop, terms=terms, made_at=now)
                return writer.write(feed.offers(), feed.rules_held)
        except RulesChanged as error:
            changed = error
    raise FeedRefused(str(changed))


def in_words(written: Written, terms: Terms) -> Iterator[str]:
    """What became of it, line by line."""
    figures, changes = written.figures, written.changes
    counts = ", ".join(f"{what} {count:,}" for what, count in changes.items() if count)
    yield f"{figures.offers:,} offers, {figures.on_sale:,} of them on sale; {counts or 'no change'}"
    yield from _cities_in_words(written)
    if not terms.publish:
        yield f"Preview, nothing is published: {written.path}, {written.changes_path}"
        yield "PUBLISH=feed publishes it"
    elif written.version is None:
        yield f"The feed stays as it is: {written.path}"
    else:
        yield f"Version {written.version.number}: {written.path}, {written.changes_path}"


def _cities_in_words(written: Written) -> Iterator[str]:
    """For which cities its prices hold."""
    if written.alone:
        yield (
            f"{written.alone:,} offers name the price of one city, the only one of which a price "
            "is known. Do you sell them in other cities, too? What Kaspi makes of the prices there "
            "is not known: read their boards there, or `scrapy feed read` an export with prices by "
            "city, before you publish. Do you sell in one city, all is right"
        )
    if written.everywhere:
        yield f"{written.everywhere:,} offers have one price, which holds in all cities"


def faults_in_words(written: Written, most: int) -> Iterator[str]:
    """What stands in the way of listings; no more lines than that, and how many others."""
    for sku, fate, fault in written.faults[:most]:
        yield f"{sku}: {fate}: {fault}"
    if len(written.faults) > most:
        yield f"… and {len(written.faults) - most:,} more"
