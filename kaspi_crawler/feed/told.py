"""What a feed or a price list tells of a store's listings: shown, or written down."""

import sys
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from domain.identity import MerchantId
from domain.price_feed import FeedOffer
from kaspi_crawler.arguments import BadArgument
from partners.kaspi.storefront_listing import NotAListing, merchant_id

#: Offers that are written down at once.
_SLICE = 2_000
#: Articles that are no listings, and are named one by one.
_SHOWN = 20


def store_named(verb: str, text: str) -> MerchantId:
    """The store that somebody typed behind a verb. Raises BadArgument."""
    try:
        return merchant_id(text)
    except NotAListing as error:
        raise BadArgument(f"{verb}: {error}") from None


def tell(offers: Iterable[FeedOffer]) -> None:
    """Show the offers, one JSON a line."""
    for offer in offers:
        sys.stdout.buffer.write(msgspec.json.encode(offer) + b"\n")
    sys.stdout.buffer.flush()


def keep(address: str, store: MerchantId, offers: Iterable[FeedOffer]) -> None:
    """Write down points, names and prices of the listings that are kept here, and say how many.

    What is no listing is named. Raises BadArgument for a store that is not kept.
    """
    from storage.feeds import NoSuchStore, put_offers  # noqa: PLC0415  (this needs the database)

    known, strange = 0, []
    try:
        for part in _parts(offers):
            listed = put_offers(address, store, part)
            known += len(listed)
            strange += [offer.sku for offer in part if offer.sku not in listed]
    except NoSuchStore as error:
        raise BadArgument(f"read: {error}") from None
    told = known + len(strange)
    sys.stdout.write(f"{known:,} of {told:,} offers are listings of store {store}: written down\n")
    for sku in strange[:_SHOWN]:
        sys.stderr.write(f"{sku}: passed over: no listing. `scrapy listings import` makes it one\n")
    if len(strange) > _SHOWN:
        sys.stderr.write(f"… and {len(strange) - _SHOWN:,} more\n")


def _parts(offers: Iterable[FeedOffer]) -> Iterator[list[FeedOffer]]:
    incoming = iter(offers)
    while part := list(islice(incoming, _SLICE)):
        yield part
