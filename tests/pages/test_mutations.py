"""Pages and answers changed on purpose are read right, or named: never misread.

Structural changes keep the page's meaning, so that what is read must be what the page said before.
Fuzz changes the meaning, too: what is read of it must then stand in the bytes, as an independent
reading finds it.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

from domain.identity import CityId, ProductId
from domain.product import ProductCard, Rung
from domain.readings import ProductMissing, Source
from domain.reviews import ReviewSummary
from kaspi_crawler.pages.known import drifts
from kaspi_crawler.pages.offers import OffersPage, OffersPart
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable, Witness
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage
from partners.call import Answer
from tests.pages import building, mutating
from tests.pages.mutating import before_the_item, changed, plain, restated, unquoted
from tests.pages.test_recordings import PAGES, recorded

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
LAPTOP = ProductId("130700452")
ALMATY = CityId("750000000")
#: A product that no page is about.
OTHER = "199999999"


def answer(body: bytes) -> Answer:
    return Answer(status=200, body=body, address="https://kaspi.kz/shop/p/-1/?c=750000000")


@cache
def pages() -> dict[str, tuple[ProductId, bytes]]:
    """Pages to change: an invented one, the fixtures with a state, and real ones when at hand."""
    found = {"kettle": (building.KETTLE, building.whole_page().encode())}
    for name in ("product_whole", "product_without_offers"):
        found[name] = (LAPTOP, (FIXTURES / name / "input.html").read_bytes())
    for product, name in list(PAGES.items())[::4]:
        found[product] = (ProductId(product), recorded(name))
    return found


NAMES = ["kettle", "product_whole", "product_without_offers", *list(PAGES)[::4]]
each_page = pytest.mark.parametrize("name", NAMES)


@attrs.frozen
class Seen:
    """What was made of a page, and whether its drift was noticed."""

    outcome: ProductCard | ProductMissing | TryAgain | Unreadable
    named: bool


def look(product: ProductId, body: bytes) -> Seen:
    witness = Witness()
    outcome = ProductPage(answer(body), product, NOW, witness).to_item()
    return Seen(outcome, bool(witness.drifts or drifts(Source.PAGE, body)))


@cache
def truth(name: str) -> ProductCard:
    product, body = pages()[name]
    card = look(product, body).outcome
    assert isinstance(card, ProductCard)
    assert card.rung is Rung.STATE
    return card


def assert_same(name: str, body: bytes) -> None:
    """The whole card is read from the state."""
    assert look(pages()[name][0], body).outcome == truth(name)


def assert_never_misread(name: str, body: bytes) -> None:
    """Each field is as it was or absent; what is absent on the best rung is named."""
    before, seen = truth(name), look(pages()[name][0], body)
    if isinstance(seen.outcome, TryAgain | Unreadable):
        assert seen.outcome.reason
        assert seen.outcome.remedy
        return
    assert isinstance(seen.outcome, ProductCard)
    after = seen.outcome
    assert (after.kaspi_id, after.name, after.price) == (before.kaspi_id, before.name, before.price)
    assert after.city_id in {before.city_id, None}
    assert after.brand in {before.brand, None}
    assert set(after.image_urls) <= set(before.image_urls) or after.rung is not Rung.STATE
    if after.rung is not Rung.STATE:
        return
    differing = {
        field.name
        for field in attrs.fields(ProductCard)
        if getattr(after, field.name) != getattr(before, field.name)
    }
    for field in differing:
        assert not getattr(after, field) or field == "specifications", field
    assert seen.named or not differing


def other_item(product: str = OTHER, **card: object) -> dict[str, Any]:
    return {**building.item(id=product, title="Не тот товар", price=1, **card)}


SURVIVED: dict[str, Callable[[bytes], bytes]] = {
    "the container in brackets": lambda page: restated(
        page, lambda item: f'BACKEND.components["item"] = {plain(item)}'
    ),
    "both containers in single brackets": lambda page: restated(
        page, lambda item: f"BACKEND['components']['item']={plain(item)}"
    ),
    "window before it": lambda page: restated(
        page, lambda item: f"window.BACKEND.components.item = {plain(item)}"
    ),
    "one object for all": lambda page: restated(
        page, lambda item: "window.BACKEND = " + plain({"components": {"item": item}})
    ),
    "one object whose keys have no quotes": lambda page: restated(
        page, lambda item: "window.BACKEND = {components: {item: " + plain(item) + "}}"
    ),
    "handed to a function": lambda page: restated(
        page, lambda item: f"Object.assign(BACKEND.components, {plain({'item': item})})"
    ),
    "another name": lambda page: restated(
        page, lambda item: f"BACKEND.components.product = {plain(item)}"
    ),
    "no spaces around the sign": lambda page: restated(
        page, lambda item: f"BACKEND.components.item={plain(item)}"
    ),
    "keys without quotes": lambda page: restated(
        page, lambda item: mutating.ITEM.decode() + unquoted(item)
    ),
    "single quotes": lambda page: restated(
        page, lambda item: mutating.ITEM.decode() + unquoted(item, "'")
    ),
    "written over many lines": lambda page: restated(
        page,
        lambda item: mutating.ITEM.decode() + json.dumps(item, ensure_ascii=False, indent=2),
    ),
    "letters escaped": lambda page: restated(
        page, lambda item: mutating.ITEM.decode() + json.dumps(item)
    ),
    "keys in another order": lambda page: changed(
        page, lambda item: {key: item[key] for key in reversed(item)}
    ),
    "attributes on the scripts": lambda page: page.replace(
        b"<script>", b"<script nonce='a1>' data-x=\"{\" >".replace(b">' ", b"' ")
    ),
    "scripts in another order": mutating.scripts_reversed,
    "the item one level deeper": lambda page: changed(page, lambda item: {"data": item}),
    "the card one level deeper": lambda page: changed(
        page, lambda item: {**item, "card": {"main": item["card"]}}
    ),
    "another product's item before it": lambda page: before_the_item(
        page, f"BACKEND.components.item = {plain(other_item())};"
    ),
    "a carousel before it": lambda page: before_the_item(
        page, "BACKEND.components.carousel = " + plain({"items": [other_item(), other_item("1")]})
    ),
    "a carousel with its own card, at another price": lambda page: before_the_item(
        page,
        "BACKEND.components.recent = "
        + plain({"items": [{"card": {"id": "OWN", "title": "x", "price": 1}}]}),
    ),
    "a new key everywhere": lambda page: changed(
        page, lambda item: item["card"].update(newKey={"price": 1}) or item.update(other=[1])
    ),
}


@each_page
@pytest.mark.parametrize("mutation", SURVIVED)
def test_what_moved_is_found(name: str, mutation: str) -> None:
    product, page = pages()[name]
    mutated = SURVIVED[mutation](page).replace(b'"OWN"', f'"{product}"'.encode())
    assert mutated != page
    assert_same(name, mutated)


NAMED: dict[str, Callable[[bytes], bytes]] = {
    "a comment before the object": lambda page: restated(
        page, lambda item: f"BACKEND.components.item = /* new */ {plain(item)}"
    ),
    "a text to be parsed": lambda page: restated(
        page, lambda item: f"BACKEND.components.item = JSON.parse({plain(plain(item))})"
    ),
    "base64": lambda page: restated(page, lambda _item: "BACKEND.components.item = atob('eyJ9')"),
    "a comma too many": lambda page: restated(
        page, lambda item: mutating.ITEM.decode() + plain(item)[:-1] + ",}"
    ),
    "both quotes mixed": lambda page: restated(
        page, lambda item: mutating.ITEM.decode() + plain(item).replace('"card"', "'card'")
    ),
    "no state": lambda page: restated(page, lambda _item: ""),
    "another name, and an item-like carousel at another price": lambda page: restated(
        before_the_item(page, "BACKEND.recent = " + plain({"x": [], "y": other_item("OWN")})),
        lambda item: f"BACKEND.components.product = {plain(item)}",
    ),
    "price renamed everywhere": lambda page: page.replace(b'"price"', b'"cost"'),
    "title renamed everywhere": lambda page: page.replace(b'"title"', b'"caption"'),
    "id renamed everywhere": lambda page: page.replace(b'"id"', b'"ident"'),
    "price in texts": lambda page: changed(
        page,
        lambda item: item["card"].update(
            price=f"{item['card'].get('price', 0):,} ₸".replace(",", " ")
        ),
    ),
    "price in an object": lambda page: changed(
        page,
        lambda item: item["card"].update(price={"amount": item["card"].get("price")}),
    ),
    "price in tiyn": lambda page: changed(
        page, lambda item: item["card"].update(price=str(item["card"].get("price", 0)) + ".55")
    ),
    "only another product": lambda page: changed(page, lambda _item: other_item()),
    "another product's card in it": lambda page: changed(
        page, lambda item: {**item, "card": other_item()["card"]}
    ),
    "ld+json of another type": lambda page: page.replace(b"ld+json", b"ld-json"),
    "no metas": lambda page: re.sub(rb"<meta[^>]*>", b"", page),
    "a page without scripts": lambda page: re.sub(
        rb"<script[^>]*>.*?</script>", b"", page, flags=re.DOTALL
    ),
}


@each_page
@pytest.mark.parametrize("mutation", NAMED)
def test_what_is_not_found_is_named(name: str, mutation: str) -> None:
    product, page = pages()[name]
    mutated = NAMED[mutation](page).replace(b'"OWN"', f'"{product}"'.encode())
    assert_never_misread(name, mutated)


def each_key() -> Iterator[Any]:
    for path in mutating.keys_of(building.item()):
        yield pytest.param(path, id=".".join(path))


def holder(item: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    return item["card"] if len(path) == 2 else item


CHANGES: dict[str, Callable[[dict[str, Any], str], None]] = {
    "renamed": lambda holder, key: holder.update({f"{key}2": holder.pop(key)}),
    "removed": lambda holder, key: holder.pop(key, None),
    "moved down": lambda holder, key: holder.update(more={key: holder.pop(key)}),
    "null": lambda holder, key: holder.update({key: None}),
    "a list": lambda holder, key: holder.update({key: [holder[key]]}),
    "an object": lambda holder, key: holder.update({key: {"value": holder[key]}}),
    "a truth": lambda holder, key: holder.update({key: True}),
    "a text": lambda holder, key: holder.update({key: f"~{holder[key]}~"}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("path", list(each_key()))
@pytest.mark.parametrize("name", ["kettle", *list(PAGES)[:1]])
def test_a_key_that_changed_costs_no_more_than_itself(
    name: str, path: tuple[str, ...], change: str
) -> None:
    _product, page = pages()[name]
    item = deepcopy(mutating.item_of(page)[0])
    held = holder(item, path)
    if path[-1] not in held or (path[-1], change) in TOLD_ANEW:
        return
    CHANGES[change](held, path[-1])
    mutated = changed(page, lambda _item: item)
    assert_never_misread(name, mutated)


#: Changes after which the key says something else, and is rightly read so.
TOLD_ANEW = {
    ("title", "a text"),
    ("shopLink", "a text"),
    ("createdTime", "a text"),
    ("description", "a text"),
    ("categoryId", "a text"),
    ("price", "null"),
    ("discount", "a truth"),
    *((key, "null") for key in ("description", "discount", "unitPriceBeforeDiscount")),
    *((key, "removed") for key in ("description", "discount", "unitPriceBeforeDiscount")),
}


def offers_of(product: str, *prices: int) -> bytes:
    offers = [
        {
            "masterSku": product,
            "merchantId": str(5_000 + place),
            "merchantName": f"Лавка {place}",
            "price": float(price),
            "merchantRating": 4.8,
            "title": "Чайник",
            "preorder": 0,
            "deliveryType": "TO_DOOR",
        }
        for place, price in enumerate(prices)
    ]
    return building.offers(*offers).encode()


ANSWERS: list[tuple[Source, ProductId, bytes]] = [
    *((Source.PAGE, *pages()[name]) for name in ("kettle", "product_whole", "kettle")),
    *(
        (Source.PAGE, LAPTOP, (FIXTURES / name / "input.html").read_bytes())
        for name in ("product_with_ld_json_alone", "product_with_metas_alone")
    ),
    *(
        (Source.OFFERS, LAPTOP, (FIXTURES / name / "input.json").read_bytes())
        for name in ("offers_whole", "offers_drifted")
    ),
    (Source.OFFERS, building.KETTLE, offers_of(building.KETTLE, 8_990, 9_100, 9_200)),
    (Source.OFFERS, ProductId(OTHER), offers_of(OTHER, 111, 222, 333)),
    *(
        (Source.REVIEWS, LAPTOP, (FIXTURES / name / "input.json").read_bytes())
        for name in ("reviews_whole", "reviews_of_nobody")
    ),
]


def assert_fuzz_is_not_misread(seeds: range) -> Counter[str]:
    bodies = [body for *_, body in ANSWERS]
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        place, body, done = mutating.fuzzed(bodies, seed)
        source = ANSWERS[place][0]
        told = f"seed {seed}: {done} of answer {place} ({source})"
        outcome = CHECKS[source](place, body, told)
        outcomes[f"{source}: {type(outcome).__name__}"] += 1
        drifts(source, body)
    return outcomes


def check_page(place: int, body: bytes, told: str) -> object:
    product = ANSWERS[place][1]
    outcome = ProductPage(answer(body), product, NOW).to_item()
    if isinstance(outcome, ProductCard):
        text = body.decode("utf-8", "replace")
        assert outcome.kaspi_id == product
        assert f'"{product}"' in text, told
        before = look(product, ANSWERS[place][2]).outcome
        assert isinstance(before, ProductCard)
        if outcome.price is not None and outcome.price != before.price:
            assert _says_price(text, outcome.price), f"{told}: price {outcome.price}"
        if outcome.name != before.name:
            assert _says(text, outcome.name), f"{told}: {outcome.name!r}"
    return outcome


def _says_price(text: str, price: int) -> bool:
    """Whether the number stands where a price stands, in any way that JSON spells it."""
    said = re.findall(
        r'"price"\s*:\s*"?([-+.\deE]+)|price:amount[^>]*?content="([^"]*)"|price\\?["\']?\s*:\s*([\d.]+)',
        text,
    )
    return any(_is(number, price) for found in said for number in found if number)


def _is(text: str, price: int) -> bool:
    try:
        return Decimal(text) == price
    except ArithmeticError:
        return False


def _says(text: str, name: str) -> bool:
    """Whether the name stands on the page, whatever its letters are escaped as."""
    plain_text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda one: chr(int(one[1], 16)), text)
    plain_text = re.sub(r'\\(["\\/])', r"\1", plain_text)
    read = {html.unescape(one) for one in (plain_text, text)}
    read |= {html.unescape(one) for one in read}
    # A spoilt letter is one sign or several, depending on who mends it; spaces are tidied.
    parts = (re.escape(part) for part in re.split(r"[\s\ufffd\x00-\x1f]+", name))
    wanted = re.compile(r"[\s\ufffd\x00-\x1f\\]*".join(parts))
    return any(wanted.search(one) for one in read)


def check_offers(place: int, body: bytes, told: str) -> object:
    product = ANSWERS[place][1]
    outcome = OffersPage(answer(body), product, ALMATY, NOW).to_item()
    if isinstance(outcome, OffersPart):
        said = json.loads(_mended(body), strict=False, parse_float=Decimal, parse_int=Decimal)
        known = {
            (str(offer.get("merchantId")).strip(), _whole(offer.get("price")))
            for offer in said["offers"]
            if (isinstance(offer, dict) and str(offer.get("masterSku", product)) == product)
            or (isinstance(offer, dict) and not isinstance(offer.get("masterSku"), str))
        }
        for offer in outcome.offers:
            assert (offer.merchant_id, offer.price) in known, f"{told}: {offer}"
        assert outcome.total in {_whole(said.get("total")), _whole(said.get("offersCount"))}, told
    return outcome


def check_reviews(place: int, body: bytes, told: str) -> object:
    product = ANSWERS[place][1]
    outcome = ReviewsPage(answer(body), product, NOW).to_item()
    if isinstance(outcome, ReviewSummary):
        said = json.loads(_mended(body), strict=False, parse_float=Decimal, parse_int=Decimal)
        numbers = {_whole(number) for number in _numbers(said)} | {None, 0}
        counts = (outcome.review_amount, outcome.picture_amount, outcome.positive_amount)
        assert set(counts) <= numbers, told
        if outcome.rate is not None:
            assert _whole(said["summary"]["global"], exactly=False) == outcome.rate, told
    return outcome


def _mended(body: bytes) -> str:
    return body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _whole(value: object, *, exactly: bool = True) -> object:
    """A number however it is spelt."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return int(number) if exactly and number.is_finite() and number == int(number) else number


def _numbers(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    else:
        yield value


CHECKS: dict[Source, Callable[[int, bytes, str], object]] = {
    Source.PAGE: check_page,
    Source.OFFERS: check_offers,
    Source.REVIEWS: check_reviews,
}


def test_fifteen_hundred_spoilt_answers_are_not_misread() -> None:
    outcomes = assert_fuzz_is_not_misread(range(1_500))
    assert len(outcomes) >= 8, outcomes  # items, refusals and unreadable ones, of each source


@pytest.mark.long
def test_twelve_thousand_spoilt_answers_are_not_misread() -> None:
    outcomes = assert_fuzz_is_not_misread(range(10_000, 22_000))
    assert len(outcomes) >= 9, outcomes
