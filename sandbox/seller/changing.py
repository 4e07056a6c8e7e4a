"""What a change makes of a listing, and what a careful seller would not have done: pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import attrs

from sandbox.seller.goods import Author, Availability, Change, Listing, Place, Update
from sandbox.seller.switches import SellerSwitches

#: What a change can do to a listing that the seller did not mean.
WRONGS = {
    "point_dropped": "a point of the listing is not named, so that it is lost",
    "point_added": "a point is named where the listing was not",
    "sold_out_reopened": "a point that had nothing to sell sells again",
    "stock_forgotten": "stockCount is left out where it is kept",
    "stock_for_unspecified": "stockCount is sent where none is kept",
    "preorder_lost": "days of preorder are left out",
}
#: The latest moment of a price's edition is about a day after it (recorded 2025-05).
_EDITION = timedelta(days=1)


@attrs.frozen(kw_only=True)
class Wrong:
    """One thing a careful seller does not do, and the point where."""

    kind: str
    point: str


def wrongs(shown: Listing, change: Change) -> tuple[Wrong, ...]:
    """What a change does wrong to a listing as it was shown."""
    if change.places is None:
        return ()
    named = {said.store_id: said for said in change.places}
    dropped = [place for place in shown.places if place.store_id not in named]
    return (
        *(Wrong(kind="point_dropped", point=place.store_id) for place in dropped),
        *(wrong for said in change.places for wrong in _wrongs_at(shown, said)),
    )


def _wrongs_at(shown: Listing, said: Availability) -> Iterator[Wrong]:
    before = shown.place(said.store_id)
    if before is None:
        yield Wrong(kind="point_added", point=said.store_id)
        return
    if _placed(said).is_open and not (before.is_open and shown.on_sale):
        yield Wrong(kind="sold_out_reopened", point=said.store_id)
    if not said.available:
        return
    if before.specified and said.stock is None:
        yield Wrong(kind="stock_forgotten", point=said.store_id)
    if not before.specified and said.stock is not None:
        yield Wrong(kind="stock_for_unspecified", point=said.store_id)
    if before.preorder and not said.preorder:
        yield Wrong(kind="preorder_lost", point=said.store_id)


def changed(
    listing: Listing, change: Change, author: Author, at: datetime, switches: SellerSwitches
) -> Listing:
    """The listing after a change that applies at a moment; its trail says when it was asked for."""
    after = _priced(listing, change, switches)
    after = _placed_anew(after, change, listing, author, switches)
    operation = _operation(listing, after)
    if operation is None and after == listing:
        return listing
    update = Update(operation=operation or "REINDEX", by=author.email, at=author.at)
    return attrs.evolve(
        after,
        model=change.model or listing.model,
        changed_at=at,
        deadline=at + _EDITION if operation == "PRICE_CHANGE" else listing.deadline,
        archived_at=_archived(after, at),
        file_id=author.file_id,
        source=author.source,
        updates=(*listing.updates, update)[-4:],
        version=listing.version + 1,
    )


def withdrawn(listing: Listing, author: Author, at: datetime) -> Listing:
    """The listing off sale at every point."""
    places = tuple(attrs.evolve(place, available=False) for place in listing.places)
    update = Update(operation="REMOVE", by=author.email, at=author.at)
    return attrs.evolve(
        listing,
        places=places,
        changed_at=at,
        archived_at=at,
        file_id=author.file_id,
        updates=(*listing.updates, update)[-4:],
        version=listing.version + 1,
    )


def _priced(listing: Listing, change: Change, switches: SellerSwitches) -> Listing:
    """The new prices; `price` alone is for all towns (working clients disagree on both)."""
    if change.city_prices and change.price is None and switches.price_needed:
        return listing
    if not change.city_prices and change.price is None:
        return listing
    kept = listing.city_prices if switches.unnamed_cities == "kept" else {}
    if change.price is not None:
        kept = dict.fromkeys(kept, change.price)
    prices = {**kept, **change.city_prices}
    lowest = min(prices.values(), default=change.price or listing.price)
    base = change.price if change.price is not None else lowest
    return attrs.evolve(listing, price=base, city_prices=prices)


def _placed_anew(
    after: Listing, change: Change, before: Listing, author: Author, switches: SellerSwitches
) -> Listing:
    if change.places is None:
        return after
    if author.door == "single" and not before.on_sale and not switches.single_restores:
        return after
    places = tuple(_placed(said) for said in change.places)
    if _hazard(before, change, author, switches):
        places = tuple(attrs.evolve(place, available=False) for place in places)
    return attrs.evolve(after, places=places)


def _hazard(before: Listing, change: Change, author: Author, switches: SellerSwitches) -> bool:
    """Whether a stockCount takes the item off sale: seen with pushes only (2026-08)."""
    if author.door not in {"single", "batch"} or switches.stock_count == "harmless":
        return False
    counted = [said for said in change.places or () if said.stock is not None]
    if switches.stock_count == "always":
        return bool(counted)
    return any(
        (place := before.place(said.store_id)) is None or not place.specified for said in counted
    )


def _placed(said: Availability) -> Place:
    return Place(
        store_id=said.store_id,
        available=said.available,
        stock=said.stock or 0,
        specified=said.stock is not None,
        preorder=said.preorder or 0,
    )


def _operation(before: Listing, after: Listing) -> str | None:
    """What the audit trail calls it."""
    sells = any(place.available for place in after.places)
    if before.on_sale and not sells:
        return "REMOVE"
    if not before.on_sale and sells:
        return "ON_SALE"
    prices = (before.price, before.city_prices) != (after.price, after.city_prices)
    return "PRICE_CHANGE" if prices else None


def _archived(after: Listing, at: datetime) -> datetime | None:
    if any(place.available for place in after.places):
        return None
    return after.archived_at or at
