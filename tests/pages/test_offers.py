"""One page of offers: every field, what is absent, what has drifted, what is no offer."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import DEAREST
from domain.offers import DeliveryOption, Offer
from kaspi_crawler.pages.offers import OffersPage, OffersPart
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from tests.pages.building import ALMATY, KETTLE, answer, offer, offers, to_json

#: Half past eleven in the evening of 18 September in Almaty.
NOW = datetime(2026, 9, 18, 18, 30, tzinfo=UTC)
WHERE = "(offers of 104500100, city 750000000"


def outcome(body: str | bytes, status: int = 200) -> OffersPart | TryAgain | Unreadable:
    return OffersPage(answer(body, status), KETTLE, ALMATY, NOW).to_item()


def part(body: str | bytes) -> OffersPart:
    read = outcome(body)
    assert isinstance(read, OffersPart), read
    return read


def one(**fields: object) -> Offer:
    """The offer whose given fields the API sent."""
    read = part(offers(offer(**fields)))
    assert read.unreadable == ()
    return read.offers[0]


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({"merchantId": "Satel"}, "merchant_id", "Satel", id="a word for a merchant"),
        pytest.param({"merchantId": " 5001 "}, "merchant_id", "5001", id="a merchant with blanks"),
        pytest.param({"merchantId": "0077"}, "merchant_id", "0077", id="zeros are kept"),
        pytest.param({"merchantId": 77}, "merchant_id", "77", id="a number is text"),
        pytest.param({"merchantName": "Лавка "}, "seller", "Лавка", id="a name's blanks go"),
        pytest.param({}, "seller", "", id="no name"),
        pytest.param({"merchantSku": "K_1"}, "merchant_sku", "K_1", id="a sku"),
        pytest.param({"merchantSku": ""}, "merchant_sku", None, id="an empty sku"),
        pytest.param({"price": 361788.0}, "price", 361788, id="a price with a point"),
        pytest.param({"price": 361788}, "price", 361788, id="a whole price"),
        pytest.param({"price": "361788"}, "price", 361788, id="a price as text"),
        pytest.param({"price": 1}, "price", 1, id="the lowest price"),
        pytest.param({"priceMinusBonus": 8500.0}, "price_minus_bonus", 8500, id="a bonus price"),
        pytest.param({"priceMinusBonus": 0.0}, "price_minus_bonus", None, id="no bonus price"),
        pytest.param({"priceBeforeDiscount": 9990}, "price_before_discount", 9990, id="old price"),
        pytest.param({"priceBeforeDiscount": 0}, "price_before_discount", None, id="no old price"),
        pytest.param({"priceBeforeDiscount": 1.5}, "price_before_discount", None, id="a fraction"),
        pytest.param({"discount": 10}, "discount_percent", 10, id="a discount"),
        pytest.param({"discount": 0}, "discount_percent", 0, id="zero discount is not absent"),
        pytest.param({}, "discount_percent", None, id="an absent discount is not zero"),
        pytest.param({"merchantRating": 4.8}, "merchant_rating", Decimal("4.8"), id="a rating"),
        pytest.param({"merchantRating": 0.0}, "merchant_rating", Decimal(0), id="zero rating"),
        pytest.param({}, "merchant_rating", None, id="a new seller has no rating"),
        pytest.param({"merchantRating": 48}, "merchant_rating", None, id="a rating beyond five"),
        pytest.param({"merchantRating": -1}, "merchant_rating", None, id="a rating below zero"),
        pytest.param(
            {"merchantRating": "NaN"}, "merchant_rating", None, id="a rating that is none"
        ),
        pytest.param({"merchantRating": None}, "merchant_rating", None, id="a null rating"),
        pytest.param({"merchantReviewsQuantity": 231}, "merchant_reviews", 231, id="reviews"),
        pytest.param({"merchantReviewsQuantity": 0}, "merchant_reviews", 0, id="zero reviews"),
        pytest.param({}, "merchant_reviews", None, id="no word of reviews"),
        pytest.param({"purchaseCount": 428}, "purchase_count", 428, id="purchases"),
        pytest.param({"title": "Чайник"}, "title", "Чайник", id="the seller's own title"),
        pytest.param({"title": " "}, "title", None, id="a blank title"),
        pytest.param({"preorder": 5}, "preorder_days", 5, id="preorder"),
        pytest.param({"preorder": 0}, "preorder_days", 0, id="in stock"),
        pytest.param({}, "preorder_days", None, id="no word of preorder"),
        pytest.param({"deliveryType": "EXPRESS"}, "delivery_type", "EXPRESS", id="delivery type"),
        pytest.param({"deliveryDuration": "SOON"}, "delivery_duration", "SOON", id="any class"),
        pytest.param({"kaspiDelivery": False}, "kaspi_delivery", False, id="own delivery"),
        pytest.param({}, "kaspi_delivery", None, id="no word of delivery"),
        pytest.param({"locatedInPoint": "5001_PP1"}, "located_in_point", "5001_PP1", id="a point"),
        pytest.param({"kdPoints": ["a", "b"]}, "delivery_points", ("a", "b"), id="points"),
        pytest.param({"kdPoints": None}, "delivery_points", (), id="null for points"),
        pytest.param(
            {"pointsWithAvailability": ["a"]}, "pickup_points", ("a",), id="pickup points"
        ),
    ],
)
def test_a_field(fields: dict[str, object], name: str, value: object) -> None:
    given_fields = {**offer(), **fields}
    read = part(offers(given_fields))
    assert read.unreadable == ()
    assert getattr(read.offers[0], name) == value


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("delivery", "delivery_at"),
        ("pickup", "pickup_at"),
        ("postomat", "postomat_at"),
        ("kdPickupDate", "handed_over_at"),
        ("availabilityDate", "available_at"),
    ],
)
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param(
            "2026-09-21T18:00:00.000+00:00", datetime(2026, 9, 21, 18, tzinfo=UTC), id="as recorded"
        ),
        pytest.param("2026-09-21T18:00:00Z", datetime(2026, 9, 21, 18, tzinfo=UTC), id="with Z"),
        pytest.param(
            "2026-09-21T18:00:00+05:00", datetime(2026, 9, 21, 13, tzinfo=UTC), id="in Almaty"
        ),
        pytest.param("2026-09-21T18:00:00", None, id="without a zone"),
        pytest.param("Бесплатно", None, id="no moment at all"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_moment(key: str, name: str, text: str | None, moment: datetime | None) -> None:
    read = getattr(one(**{key: text}), name)
    assert read == moment
    assert read is None or read.tzinfo is UTC


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        pytest.param({}, None, id="no promise"),
        pytest.param({"delivery": "2026-09-18T18:45:00Z"}, 0, id="a quarter to midnight is today"),
        pytest.param({"delivery": "2026-09-18T19:00:00Z"}, 1, id="midnight is tomorrow"),
        pytest.param({"delivery": "2026-09-23T06:00:00Z"}, 5, id="five days"),
        pytest.param({"delivery": "2026-09-17T06:00:00Z"}, 0, id="a promise of yesterday is today"),
        pytest.param({"deliveryDuration": "EXPRESS"}, 0, id="express is today"),
        pytest.param({"deliveryDuration": "TODAY"}, 0, id="today"),
        pytest.param({"deliveryDuration": "TOMORROW"}, 1, id="tomorrow"),
        pytest.param({"deliveryDuration": "TILL_5_DAYS"}, 5, id="till five days"),
        pytest.param({"deliveryDuration": "TILL_14_DAYS"}, 14, id="till fourteen days"),
        pytest.param({"deliveryDuration": "SOON"}, None, id="an unknown class"),
        pytest.param(
            {"delivery": "2026-09-20T06:00:00Z", "deliveryDuration": "TILL_5_DAYS"},
            2,
            id="the promise is more exact than the class",
        ),
        pytest.param(
            {"pickup": "2026-09-20T06:00:00Z"}, None, id="a pickup is not brought to the door"
        ),
    ],
)
def test_delivery_days(fields: dict[str, object], days: int | None) -> None:
    assert one(**fields).delivery_days == days


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_moment_that_is_none_in_utc_costs_itself_alone(moment: str) -> None:
    read = one(pickup=moment, deliveryOptions={"TO_DOOR": {"delivery": moment}})
    assert (read.pickup_at, read.price) == (None, 8990)
    assert [option.promised_at for option in read.delivery_options] == [None]


def test_a_point_that_is_none_costs_itself_alone() -> None:
    assert one(kdPoints=["5001_PP1", None, 7]).delivery_points == ("5001_PP1", "7")


def test_delivery_options() -> None:
    read = one(
        deliveryOptions={
            "TO_DOOR": {"delivery": "2026-09-20T06:00:00Z", "interCity": True, "deliveryCost": 995},
            "PICKUP": {"deliveryCost": 0.0},
            "POSTOMAT": None,
        }
    )
    assert read.delivery_options == (
        DeliveryOption(
            type="TO_DOOR",
            promised_at=datetime(2026, 9, 20, 6, tzinfo=UTC),
            inter_city=True,
            cost=read.delivery_options[0].cost,
        ),
        DeliveryOption(
            type="PICKUP", promised_at=None, inter_city=None, cost=read.delivery_options[1].cost
        ),
    )
    assert [option.cost for option in read.delivery_options] == [995, 0]


def test_a_spoilt_delivery_option_costs_itself() -> None:
    read = one(deliveryOptions={"TO_DOOR": {"deliveryCost": "даром", "interCity": True}, "X": 5})
    (option,) = read.delivery_options
    assert (option.type, option.cost, option.inter_city) == ("TO_DOOR", None, True)


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param({"title": ["x"]}, id="title"),
        pytest.param({"preorder": "скоро"}, id="preorder"),
        pytest.param({"preorder": -1}, id="preorder below zero"),
        pytest.param({"merchantReviewsQuantity": 10**11}, id="more reviews than people"),
        pytest.param({"kdPoints": "PP1"}, id="points"),
        pytest.param({"merchantRating": {"value": 4}}, id="rating"),
        pytest.param({"kaspiDelivery": "да"}, id="delivery"),
        pytest.param({"discount": 10.5}, id="discount"),
        pytest.param({"deliveryOptions": ["x"]}, id="delivery options"),
        pytest.param({"merchantName": None}, id="name"),
    ],
)
def test_a_spoilt_field_costs_itself_alone(spoilt: dict[str, object]) -> None:
    whole = offer(merchantSku="K_1", purchaseCount=3)
    read = part(offers({**whole, **spoilt}, whole))
    assert read.unreadable == ()
    assert [(each.price, each.merchant_sku, each.purchase_count) for each in read.offers] == [
        (8990, "K_1", 3)
    ] * 2


@pytest.mark.parametrize(
    ("spoilt", "complaint"),
    [
        pytest.param(
            {"merchantId": "5002", "price": "нет"},
            f"no price in 'нет' {WHERE}, merchant 5002)",
            id="a word for a price",
        ),
        pytest.param(
            {"merchantId": "5002"}, f"no price {WHERE}, merchant 5002)", id="no price at all"
        ),
        pytest.param(offer("5002", 0), f"no price in 0 {WHERE}, merchant 5002)", id="zero"),
        pytest.param(offer("5002", -5), f"no price in -5 {WHERE}, merchant 5002)", id="negative"),
        pytest.param(offer("5002", 89.5), f"no price in 89.5 {WHERE}, merchant 5002)", id="half"),
        pytest.param(offer("5002", None), f"no price in None {WHERE}, merchant 5002)", id="null"),
        pytest.param(
            offer("5002", 10**10), f"no price in {10**10} {WHERE}, merchant 5002)", id="absurd"
        ),
        pytest.param(offer(None), f"no merchant in None {WHERE})", id="no merchant"),
        pytest.param(
            offer(5002.5), f"no merchant in 5002.5 {WHERE})", id="a fraction of a merchant"
        ),
        pytest.param(offer(True), f"no merchant in True {WHERE})", id="a yes for a merchant"),
        pytest.param(offer(" "), f"no merchant in ' ' {WHERE})", id="a blank merchant"),
        pytest.param({"price": 5}, f"no merchant {WHERE})", id="a merchant that is not there"),
        pytest.param(None, f"no offer in None {WHERE})", id="null"),
        pytest.param([], f"no offer in [] {WHERE})", id="a list"),
    ],
)
def test_an_offer_without_merchant_or_price_is_named_and_the_rest_goes_on(
    spoilt: object, complaint: str
) -> None:
    read = part(offers(offer("5001"), spoilt, offer("5003")))
    assert [each.merchant_id for each in read.offers] == ["5001", "5003"]
    assert read.unreadable == (complaint,)
    assert read.total == 3


@pytest.mark.parametrize(
    ("more", "total"),
    [
        pytest.param({"total": 7, "offersCount": 7}, 7, id="both"),
        pytest.param({"total": 7}, 7, id="total"),
        pytest.param({"offersCount": 7}, 7, id="offersCount"),
        pytest.param({"total": None, "offersCount": 7}, 7, id="null and offersCount"),
        pytest.param({"total": "7"}, 7, id="as text"),
        pytest.param({"total": "много", "offersCount": 7}, 7, id="a spoilt total"),
    ],
)
def test_the_total(more: dict[str, object], total: int) -> None:
    assert part(to_json({"offers": [offer()], **more})).total == total


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param({"offers": [offer()]}, 200, "no total", id="no total"),
        pytest.param({"offers": [], "total": -1}, 200, "no total", id="a negative total"),
        pytest.param({"total": 0}, 200, 'nothing we know in {"total":0}', id="no offers"),
        pytest.param({"offers": None, "total": 0}, 200, "nothing we know", id="null for offers"),
        pytest.param([], 200, "nothing we know in []", id="an array"),
        pytest.param(
            {"status": 405, "error": "Method Not Allowed"},
            405,
            "Kaspi answered 405: Method Not Allowed",
            id="the API's 405",
        ),
        pytest.param(
            {"status": 400, "error": "Bad Request", "message": "limit is too large"},
            400,
            "Kaspi answered 400: limit is too large",
            id="the API's 400",
        ),
        pytest.param({"x": 1}, 404, 'Kaspi answered 404: {"x":1}', id="an error without words"),
    ],
)
def test_what_is_not_understood_says_so(body: object, status: int, reason: str) -> None:
    read = outcome(to_json(body), status)
    assert isinstance(read, Unreadable)
    assert read.reason.startswith(reason)
    assert read.reason.endswith(f"{WHERE})")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param("<!DOCTYPE html><html>", 200, "html_instead_of_json", id="a page"),
        pytest.param("<!DOCTYPE html><html>", 429, "too_many_requests", id="429"),
        pytest.param("", 403, "forbidden", id="403"),
        pytest.param("", 405, "method_not_allowed", id="405 without a word"),
        pytest.param("", 200, "truncated", id="nothing"),
        pytest.param('{"offers":[{"price":1', 200, "truncated", id="half of an answer"),
        pytest.param('{"offers":[{"price":1}', 200, "truncated", id="an answer without its end"),
        pytest.param(offers(offer()), 500, "server_error", id="500 whatever it holds"),
    ],
)
def test_a_block_is_never_an_empty_board(body: str, status: int, reason: str) -> None:
    read = outcome(body, status)
    assert isinstance(read, TryAgain)
    assert read.reason == reason


@pytest.mark.parametrize("other", ["104500199", 104500199])
def test_offers_of_another_product_are_never_this_ones(other: object) -> None:
    read = outcome(offers(offer("5001", masterSku=other), offer("5002", masterSku=other)))
    assert isinstance(read, TryAgain)
    assert read.reason == "other_product"
    assert "104500199" in read.remedy


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"masterSku": None}, id="an answer that does not say whose they are"),
        pytest.param({"masterSku": int(KETTLE)}, id="a number that is no text"),
        pytest.param({"masterSku": "104500199"}, id="one stranger among them"),
    ],
)
def test_offers_are_taken_when_they_may_be_this_products(said: dict[str, object]) -> None:
    read = outcome(offers(offer("5001", **said), offer("5002")))
    assert isinstance(read, OffersPart)
    assert len(read.offers) == 2


def test_an_empty_board_is_an_empty_board() -> None:
    assert part('{"offers":[],"total":0,"offersCount":0}') == OffersPart(offers=(), total=0)


def test_a_byte_order_mark_does_not_matter() -> None:
    assert part("\ufeff" + offers(offer())) == part(offers(offer()))


def test_an_abyss_of_brackets_is_no_crash() -> None:
    assert isinstance(
        outcome('{"offers":' + "[" * 100_000 + "]" * 100_000 + "}"), Unreadable | TryAgain
    )


def test_prices_beyond_ten_million_are_written_with_an_exponent() -> None:
    body = offers(offer()).replace("8990.0", "1.234567E7")
    assert part(body).offers[0].price == 12345670


PRICES = st.integers(min_value=1, max_value=DEAREST)


@given(st.lists(PRICES, max_size=64))
def test_any_prices_are_read_to_the_tenge(prices: list[int]) -> None:
    exact = offers(*(offer(str(number), price) for number, price in enumerate(prices)))
    as_floats = offers(*(offer(str(number), float(price)) for number, price in enumerate(prices)))
    for body in (exact, as_floats):
        assert [each.price for each in part(body).offers] == prices


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(sorted({**offer(), "title": 0, "delivery": 0, "kdPoints": 0, "preorder": 0}))


@given(st.lists(st.dictionaries(KEYS, JSON), max_size=5))
def test_every_offer_is_either_read_or_named(raw: list[dict[str, object]]) -> None:
    read = part(json.dumps({"offers": raw, "total": len(raw)}))
    assert len(read.offers) + len(read.unreadable) == len(raw)
    assert all(0 < each.price <= DEAREST and each.merchant_id for each in read.offers)
