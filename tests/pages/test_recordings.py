"""Real answers of the storefront, compared with what was derived from them independently."""

import gzip
import html
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from domain.identity import CityId, ProductId
from domain.listing import ListingKind, ListingQuery
from domain.offers import Offer
from domain.product import ProductCard, Rung
from domain.reviews import ReviewSummary
from kaspi_crawler.pages.board import BoardReading
from kaspi_crawler.pages.listing import ListingAnswer, ListingPart
from kaspi_crawler.pages.offers import OffersPage, OffersPart
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage, TextsPage, TextsPart
from partners.call import Answer
from partners.kaspi.storefront_listing import category_code

RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded" / "kaspi_storefront"
ASTANA = CityId("710000000")
ALMATY = CityId("750000000")
NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(),
    reason="the recordings are not part of the project: expected ../shared next to it",
)


def recorded(name: str) -> bytes:
    path = RECORDED / name
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lines(name: str) -> list[dict[str, Any]]:
    path = RECORDED / name
    return [json.loads(line) for line in path.open(encoding="utf-8")] if path.exists() else []


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(status=status, body=body, address="https://kaspi.kz/shop/p/-1/?c=710000000")


PAGES = {path.name[13:22]: path.name for path in sorted(RECORDED.glob("product_page_*"))}
ITEMS = {line["id"]: line for line in lines("product_items_2025-08.jsonl")}
SELLERS = {line["id"]: line for line in lines("sellers_dom_2025-08.jsonl")}
each_page = pytest.mark.parametrize("product", PAGES)


@cache
def card_of(product: str) -> ProductCard:
    page = ProductPage(answer(recorded(PAGES[product])), ProductId(product), NOW)
    card = page.to_item()
    assert isinstance(card, ProductCard)
    return card


def test_all_nineteen_pages_are_at_hand() -> None:
    assert len(PAGES) == 19
    assert PAGES.keys() == ITEMS.keys()


def leaves(choice: dict[str, Any], path: tuple[tuple[str, str], ...] = ()) -> Iterator[Any]:
    if choice["characteristic"]:
        characteristic = choice["characteristic"]
        path = (*path, (characteristic["title"], characteristic["values"][0]["value"]))
    if choice["productCode"]:
        yield choice["productCode"], path, choice["available"]
    for deeper in choice["matrix"] or ():
        yield from leaves(deeper, path)


EXPECTED: dict[str, Callable[[dict[str, Any]], object]] = {
    "kaspi_id": lambda line: line["id"],
    "name": lambda line: html.unescape(line["item"]["card"]["title"]),
    "brand": lambda line: line["digitalData_product"]["brand"],
    "category_id": lambda line: line["digitalData_product"]["categoryId"],
    "price": lambda line: line["item"]["card"].get("price"),
    "price_before_discount": lambda _line: None,
    "discount_percent": lambda line: line["item"]["card"]["discount"],
    "city_id": lambda _line: ASTANA,
    "link": lambda line: "https://kaspi.kz/shop" + line["item"]["card"]["shopLink"],
    "created_at": lambda line: datetime.fromisoformat(line["item"]["card"]["createdTime"]),
    "image_urls": lambda line: tuple(one["large"] for one in line["item"]["galleryImages"]),
    "base_product_codes": lambda line: tuple(
        line["item"]["card"]["promoConditions"]["baseProductCodes"]
    ),
    "rung": lambda _line: Rung.STATE,
    "checked_at": lambda _line: NOW,
}


@each_page
@pytest.mark.parametrize("field", EXPECTED)
def test_a_field_is_read_as_derived(product: str, field: str) -> None:
    assert getattr(card_of(product), field) == EXPECTED[field](ITEMS[product])


@each_page
def test_categories_run_from_below_the_root_to_the_leaf(product: str) -> None:
    card, line = card_of(product), ITEMS[product]
    assert [step.title for step in card.categories] == line["digitalData_product"]["category"]
    codes = line["item"]["card"]["promoConditions"]["categoryCodes"]
    assert [step.code for step in card.categories] == codes[-2::-1]


@each_page
def test_every_specification_is_kept(product: str) -> None:
    read = [
        (group.code, group.name, feature.code, feature.name, feature.type, feature.values)
        for group in card_of(product).specifications
        for feature in group.features
    ]
    derived = [
        (
            *(group["code"], group["name"], feature["code"], feature["name"], feature["type"]),
            tuple(value["value"] for value in feature["featureValues"]),
        )
        for group in ITEMS[product]["item"]["specifications"]
        for feature in group["features"]
    ]
    assert read == derived
    assert read


@each_page
def test_variants_are_the_leaves_of_the_configurator(product: str) -> None:
    card = card_of(product)
    read = [
        (one.kaspi_id, tuple((part.title, part.value) for part in one.characteristics))
        for one in card.variants
    ]
    derived = list(leaves(ITEMS[product]["configurator"]))
    assert read == [(code, path) for code, path, _ in derived]
    assert [one.available for one in card.variants] == [available for *_, available in derived]
    assert product in {one.kaspi_id for one in card.variants}


@each_page
def test_a_description_is_plain_text_or_none(product: str) -> None:
    given, read = ITEMS[product]["item"]["description"], card_of(product).description
    assert (read is None) == (given is None)
    if read is not None:
        assert read.startswith("Этот стильный рашгард")
        assert "<" not in read
        assert read in given


@each_page
def test_the_price_is_that_of_the_cheapest_row_shown(product: str) -> None:
    rows = SELLERS[product]["rows"]
    assert card_of(product).price == min((row["price"] for row in rows), default=None)


@each_page
def test_lower_rungs_agree_with_the_state(product: str) -> None:
    whole = card_of(product)
    body = recorded(PAGES[product])
    stateless = body.replace(b'"card"', b'"other"')
    metas_only = stateless.replace(b'"@type": "Product"', b'"@type": "Thing"')
    for page, rung in ((stateless, Rung.LD_JSON), (metas_only, Rung.META)):
        card = ProductPage(answer(page), ProductId(product), NOW).to_item()
        assert isinstance(card, ProductCard)
        assert card.rung is rung
        for field in ("kaspi_id", "name", "price", "city_id", "link"):
            assert getattr(card, field) == getattr(whole, field), field
        assert card.image_urls == whole.image_urls[:1]
    assert isinstance(card, ProductCard)


@each_page
def test_a_page_is_not_read_as_another_product(product: str) -> None:
    page = ProductPage(answer(recorded(PAGES[product])), ProductId("1000001"), NOW)
    outcome = page.to_item()
    assert isinstance(outcome, TryAgain)
    assert outcome.reason == "other_product"
    assert product in outcome.remedy


def test_a_search_page_is_not_a_product() -> None:
    body = recorded("search_page_ssr_2024-05.html")
    outcome = ProductPage(answer(body), ProductId("102298404"), NOW).to_item()
    assert isinstance(outcome, Unreadable)
    assert "/shop/search/" in outcome.reason


def part_of(name: str, product: str, city: CityId = ALMATY) -> OffersPart:
    part = OffersPage(answer(recorded(name)), ProductId(product), city, NOW).to_item()
    assert isinstance(part, OffersPart)
    assert part.unreadable == ()
    return part


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


OFFER_FIELDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "merchant_id": lambda offer: offer["merchantId"],
    "seller": lambda offer: offer["merchantName"],
    "merchant_sku": lambda offer: offer["merchantSku"],
    "price": lambda offer: int(offer["price"]),
    "price_minus_bonus": lambda offer: offer.get("priceMinusBonus"),
    "price_before_discount": lambda offer: offer.get("priceBeforeDiscount"),
    "discount_percent": lambda offer: offer.get("discount"),
    "merchant_rating": lambda offer: (
        offer.get("merchantRating") and Decimal(str(offer["merchantRating"]))
    ),
    "merchant_reviews": lambda offer: offer.get("merchantReviewsQuantity"),
    "purchase_count": lambda offer: offer.get("purchaseCount"),
    "title": lambda offer: offer["title"],
    "preorder_days": lambda offer: offer["preorder"],
    "delivery_type": lambda offer: offer["deliveryType"],
    "delivery_duration": lambda offer: offer["deliveryDuration"],
    "kaspi_delivery": lambda offer: offer["kaspiDelivery"],
    "delivery_at": lambda offer: moment(offer["delivery"]),
    "pickup_at": lambda offer: moment(offer.get("pickup")),
    "postomat_at": lambda offer: moment(offer.get("postomat")),
    "handed_over_at": lambda offer: moment(offer["kdPickupDate"]),
    "available_at": lambda offer: moment(offer["availabilityDate"]),
    "located_in_point": lambda offer: offer["locatedInPoint"],
    "delivery_points": lambda offer: tuple(offer["kdPoints"]),
    "pickup_points": lambda offer: tuple(offer.get("pointsWithAvailability", ())),
    "delivery_options": lambda _offer: (),
}
#: Read on the evening of 18 September in Almaty: promised for the 21st, 24th, 19th and 19th.
DELIVERY_DAYS = (3, 6, 1, 1)
IPHONE = "offers_102298404_almaty_2026-09-18.json"


def test_no_field_of_an_offer_is_forgotten() -> None:
    assert {*OFFER_FIELDS, "delivery_days"} == set(Offer.__struct_fields__)


@pytest.mark.parametrize("field", OFFER_FIELDS)
def test_a_field_of_the_recorded_offers(field: str) -> None:
    part = part_of(IPHONE, "102298404")
    raw = json.loads(recorded(IPHONE))["offers"]
    assert len(part.offers) == 4
    read = [getattr(offer, field) for offer in part.offers]
    assert read == [OFFER_FIELDS[field](offer) for offer in raw]


def test_recorded_offers_are_promised_in_calendar_days() -> None:
    part = part_of(IPHONE, "102298404")
    assert part.total == 20
    assert tuple(offer.delivery_days for offer in part.offers) == DELIVERY_DAYS


def test_a_trimmed_answer_is_no_complete_board() -> None:
    part = part_of(IPHONE, "102298404")
    reading = BoardReading.start(ProductId("102298404"), ALMATY).add(part, NOW)
    assert reading.next_page == 1
    assert not reading.board.complete


def test_the_sample_with_discounts() -> None:
    part = part_of("offers_sample_121806358_readme.json", "121806358")
    (offer,) = part.offers
    assert part.total == 27
    assert (offer.price, offer.price_before_discount, offer.discount_percent) == (
        179990,
        199990,
        10,
    )
    assert (offer.purchase_count, offer.merchant_reviews) == (428, 3588)
    assert offer.delivery_days == 2
    assert (offer.title, offer.merchant_sku, offer.preorder_days) == (None, None, None)


def test_the_empty_answer_is_a_complete_empty_board_when_it_is_given_twice() -> None:
    part = part_of("offers_empty.json", "999999999")
    once = BoardReading.start(ProductId("999999999"), ALMATY).add(part, NOW)
    assert once.next_page == 0
    board = once.add(part, NOW).board
    assert (board.offers, board.total, board.complete) == ((), 0, True)


def test_an_error_of_the_api_is_no_empty_board() -> None:
    body = recorded("offers_error_405_get.json")
    outcome = OffersPage(answer(body, 405), ProductId("1061856511"), ALMATY, NOW).to_item()
    assert isinstance(outcome, Unreadable)
    assert "405: Method Not Allowed" in outcome.reason


def test_the_format_of_2022_is_not_understood() -> None:
    body = recorded("offers_old_format_2022.json")
    outcome = OffersPage(answer(body), ProductId("100600000"), ALMATY, NOW).to_item()
    assert isinstance(outcome, Unreadable)


def test_a_recorded_block_is_a_block_for_every_page() -> None:
    blocked = answer(recorded("blocked_429.html"), 429)
    product = ProductId("102298404")
    outcomes = (
        ProductPage(blocked, product, NOW).to_item(),
        OffersPage(blocked, product, ALMATY, NOW).to_item(),
        ReviewsPage(blocked, product, NOW).to_item(),
    )
    for outcome in outcomes:
        assert isinstance(outcome, TryAgain)
        assert outcome.reason == "too_many_requests"


def test_recorded_reviews() -> None:
    body = recorded("reviews_106185651_2025-06.json")
    summary = ReviewsPage(answer(body), ProductId("106185651"), NOW).to_item()
    assert summary == ReviewSummary(
        kaspi_id=ProductId("106185651"),
        rate=Decimal("4.9"),
        rating_amount=13160,
        review_amount=6545,
        picture_amount=1319,
        positive_amount=6495,
        negative_amount=50,
        stars=((5, 12632), (4, 396), (3, 54), (2, 19), (1, 59)),
        checked_at=NOW,
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("offers_projection_2025-10_two_products.json", id="two boards of 2025"),
        pytest.param("offers_projection_2025-10_118366664_41.json", id="a board of forty-one"),
    ],
)
def test_recorded_prices_pass_through_the_board_in_any_order(name: str) -> None:
    boards = list(projected_prices(json.loads(recorded(name))))
    assert boards
    for prices in boards:
        offers = [
            {"merchantId": str(number), "price": price} for number, price in enumerate(prices)
        ]
        body = json.dumps({"offers": offers, "total": len(offers)}).encode()
        part = OffersPage(answer(body), ProductId("118366664"), ALMATY, NOW).to_item()
        assert isinstance(part, OffersPart)
        board = BoardReading.start(ProductId("118366664"), ALMATY).add(part, NOW).board
        assert board.complete
        assert (board.min_price, board.max_price) == (min(prices), max(prices))


def projected_prices(value: object) -> Iterator[list[Any]]:
    """Every list of offers in a projection, as its list of prices."""
    if isinstance(value, dict):
        for one in value.values():
            yield from projected_prices(one)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and "price" in value[0]:
        yield [one["price"] for one in value]
    elif isinstance(value, list):
        for one in value:
            yield from projected_prices(one)


LISTINGS = [
    "listing_cards_2025-01_part0.json",
    "listing_cards_2025-01_part1.json",
    "listing_cards_2025-01_part2.json",
    "listing_results_2025-06_two_cards.json",
]
JACKETS = ListingQuery(ListingKind.CATEGORY, "Men down jackets")


@pytest.mark.parametrize("name", LISTINGS)
def test_every_recorded_card_is_read(name: str) -> None:
    part = ListingAnswer(answer(recorded(name)), JACKETS, ASTANA, 1, NOW).to_item()
    assert isinstance(part, ListingPart)
    assert part.unreadable == ()
    raw = json.loads(recorded(name))["data"]
    assert len(part.cards) == len(raw)
    for card, told in zip(part.cards, raw, strict=True):
        assert (card.card_id, card.title) == (told["id"], html.unescape(told["title"]))
        assert (card.unit_price, card.sale_price) == (told["unitPrice"], told["unitSalePrice"])
        assert card.price_before_discount == told.get("unitPriceBeforeDiscount")
        assert card.rating == (Decimal(str(told["rating"])) or None)  # 0.0: nobody has rated
        assert card.review_amount == told.get("reviewsQuantity")
        assert card.category_codes == tuple(told.get("categoryCodes", ()))
        assert card.has_variants == told["hasVariants"]
        assert card.kaspi_id == (None if card.has_variants else card.card_id)


def test_every_recorded_category_can_be_asked_for() -> None:
    codes = recorded("leaf_category_codes_2026-01.txt").decode().splitlines()
    assert len(codes) == 805
    assert [category_code(code) for code in codes] == codes


def test_the_recorded_review_is_read_without_its_author() -> None:
    body = recorded("reviews_106185651_2025-06.json")
    part = TextsPage(answer(body), ProductId("106185651"), 0, 100, NOW).to_item()
    assert isinstance(part, TextsPart)
    (review,) = part.reviews
    assert (review.id, review.rating, review.text) == (f"{1:032x}", 5, "Классный чехол.")
    assert review.written_on.isoformat() == "2022-12-09"
    assert (review.photos, review.merchant_id) == (1, None)
    assert part.summary
    assert part.summary.rating_amount == 13_160
    assert not part.whole
    assert "Автор" not in repr(part)
