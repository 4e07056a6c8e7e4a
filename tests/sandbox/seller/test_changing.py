"""What changes make of listings: laws that hold for every listing and every change."""

from datetime import UTC, datetime, timedelta

import attrs
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import CityId, ProductId
from domain.money import Tenge
from sandbox.seller.applying import cut
from sandbox.seller.changing import changed, withdrawn, wrongs
from sandbox.seller.goods import Author, Availability, Change, Listing, Place
from sandbox.seller.shelf import quoted
from sandbox.seller.switches import SellerSwitches

AT = datetime(2026, 9, 18, 7, tzinfo=UTC)
AUTHOR = Author(email="user@example.kz", door="batch", at=AT)
CITIES = [CityId("750000000"), CityId("710000000"), CityId("511010000")]
POINTS = ["1_PP1", "1_PP2", "1_PP3", "1_PP10"]

prices = st.integers(1, 10_000).map(Tenge)
city_prices = st.dictionaries(st.sampled_from(CITIES), prices, min_size=1)
days = st.integers(0, 30)


@st.composite
def place(draw: st.DrawFn, store_id: str) -> Place:
    specified = draw(st.booleans())
    return Place(
        store_id=store_id,
        available=draw(st.booleans()),
        stock=draw(st.integers(0, 9)) if specified else 0,
        specified=specified,
        preorder=draw(days),
    )


@st.composite
def listings(draw: st.DrawFn) -> Listing:
    named = draw(st.lists(st.sampled_from(POINTS), unique=True, min_size=1))
    places = tuple(draw(place(name)) for name in named)
    asked = draw(city_prices)
    return Listing(
        sku="1_1",
        product=ProductId("1"),
        model="M",
        offer_id="0",
        price=min(asked.values()),
        city_prices=asked,
        places=places,
        changed_at=AT,
        deadline=AT,
        archived_at=None if any(one.available for one in places) else AT,
    )


@st.composite
def changes(draw: st.DrawFn) -> Change:
    named = draw(st.none() | st.lists(st.sampled_from(POINTS), unique=True))
    return Change(
        sku="1_1",
        price=draw(st.none() | prices),
        city_prices=draw(st.just({}) | city_prices),
        places=None
        if named is None
        else tuple(
            Availability(
                store_id=name,
                available=draw(st.booleans()),
                stock=draw(st.none() | st.integers(0, 9)),
                preorder=draw(st.none() | days),
            )
            for name in named
        ),
    )


switches = st.builds(
    SellerSwitches,
    stock_count=st.sampled_from(["harmless", "unspecified", "always"]),
    single_restores=st.booleans(),
    price_needed=st.booleans(),
    unnamed_cities=st.sampled_from(["kept", "lost"]),
)
doors = st.sampled_from(["single", "batch", "file", "pull"])


def careful(listing: Listing, price: Tenge) -> Change:
    """Every city and every point as it is, at another price."""
    return Change(
        sku=listing.sku,
        city_prices=dict.fromkeys(listing.city_prices, price),
        places=tuple(
            Availability(
                store_id=one.store_id,
                available=one.available,
                stock=one.stock if one.specified and one.available else None,
                preorder=one.preorder or None,
            )
            for one in listing.places
        ),
    )


@given(listing=listings(), price=prices, door=doors)
def test_a_careful_change_does_nothing_wrong_and_loses_nothing(
    listing: Listing, price: Tenge, door: str
) -> None:
    change = careful(listing, price)
    assert wrongs(listing, change) == ()
    author = attrs.evolve(AUTHOR, door=door)
    after = changed(listing, change, author, AT, SellerSwitches(single_restores=True))
    assert after.on_sale == listing.on_sale
    assert set(after.city_prices.values()) == {price}
    opened = [one.store_id for one in after.places if one.is_open]
    assert opened == [one.store_id for one in listing.places if one.is_open]


@given(listing=listings(), change=changes(), door=doors, how=switches)
def test_what_has_an_available_point_is_on_sale_and_nothing_else_is(
    listing: Listing, change: Change, door: str, how: SellerSwitches
) -> None:
    author = attrs.evolve(AUTHOR, door=door)
    after = changed(listing, change, author, AT + timedelta(1), how)
    assert after.on_sale == any(one.available for one in after.places)
    assert min(after.city_prices.values(), default=after.price) > 0
    assert len(after.updates) <= 4


@given(listing=listings(), change=changes(), how=switches)
def test_the_same_change_again_changes_no_price_and_no_point(
    listing: Listing, change: Change, how: SellerSwitches
) -> None:
    once = changed(listing, change, AUTHOR, AT, how)
    twice = changed(once, change, AUTHOR, AT, how)
    assert (twice.price, twice.city_prices) == (once.price, once.city_prices)
    harmless = SellerSwitches(stock_count="harmless")
    once = changed(listing, change, AUTHOR, AT, harmless)
    assert changed(once, change, AUTHOR, AT, harmless).places == once.places


@given(listing=listings(), change=changes())
def test_points_are_lost_exactly_when_they_are_not_named(listing: Listing, change: Change) -> None:
    dropped = {one.point for one in wrongs(listing, change) if one.kind == "point_dropped"}
    after = changed(listing, change, AUTHOR, AT, SellerSwitches())
    lost = {one.store_id for one in listing.places} - {one.store_id for one in after.places}
    assert lost == dropped


@given(listing=listings(), change=changes())
def test_half_a_change_asks_for_no_more_than_the_whole(listing: Listing, change: Change) -> None:
    half = cut(change)
    assert half.places == change.places
    assert half.price is None
    assert len(half.city_prices) <= min(1, max(0, len(change.city_prices) - 1))
    assert half.city_prices.items() <= change.city_prices.items()


@given(listing=listings())
def test_buyers_see_what_has_an_open_point_in_their_city(listing: Listing) -> None:
    gone = withdrawn(listing, AUTHOR, AT)
    for city in CITIES:
        assert not quoted(gone, city).present
        assert quoted(listing, city).price == listing.price_in(city)
