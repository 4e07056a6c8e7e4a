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
    """Write down points, names and prices of the listings that are kept here, and say how many."""
    from storage.feeds import put_offers  # noqa: PLC0415  (only this needs the database)

    known = told = 0
    for part in _parts(offers):
        told += len(part)
        known += put_offers(address, store, part)
    sys.stdout.write(f"{known:,} of {told:,} offers are listings of store {store}: written down\n")


def _parts(offers: Iterable[FeedOffer]) -> Iterator[list[FeedOffer]]:
    incoming = iter(offers)
    while part := list(islice(incoming, _SLICE)):
        yield part
