"""A product page becomes a card from its best rung, or says why it does not."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import ProductId
from domain.product import ProductCard, Rung
from domain.readings import ProductMissing
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import ProductPage
from tests.pages.building import (
    ALMATY,
    ASTANA,
    CITIES,
    CONFIGURATOR,
    KETTLE,
    ORGANIZATION,
    answer,
    choice,
    configurator_script,
    digital_data,
    head,
    item,
    item_script,
    ld_json,
    page,
    to_json,
    whole_page,
)

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)


def outcome(
    body: str | bytes, status: int = 200, product: ProductId = KETTLE
) -> ProductCard | ProductMissing | TryAgain | Unreadable:
    return ProductPage(answer(body, status), product, NOW).to_item()


def card(body: str | bytes) -> ProductCard:
    read = outcome(body)
    assert isinstance(read, ProductCard), read
    return read


def state_card(**changes: object) -> ProductCard:
    """The card of an item whose own keys are changed."""
    return card(page(item_script(item() | changes), digital_data()))


def unreadable(body: str | bytes) -> Unreadable:
    read = outcome(body)
    assert isinstance(read, Unreadable), read
    return read


WHOLE = card(whole_page())

MUTATIONS = {
    "the state before all other scripts": page(
        item_script(item()), CITIES, configurator_script(), digital_data()
    ),
    "the state after all other scripts": page(
        digital_data(), configurator_script(), CITIES, item_script(item())
    ),
    "a script put in before": page("var a = '</b>';", item_script(item()), digital_data()),
    "no blanks around the assignment": page(
        item_script(item(), name="BACKEND.components.item="), digital_data()
    ),
    "a statement after the object": page(
        item_script(item(), after="; BACKEND.components.next = null"), digital_data()
    ),
    "a statement with braces after the object": page(
        item_script(item(), after=';\n window.x = {"card": {"id": "1"}};'), digital_data()
    ),
    "a mention before the assignment": page(
        "if (!BACKEND.components.item) { BACKEND.components.item = null }",
        item_script(item()),
        digital_data(),
    ),
    "an object of the same name that is no JSON before": page(
        "BACKEND.components.item = { card: 1 }", item_script(item()), digital_data()
    ),
    "a byte order mark": "\ufeff" + page(item_script(item()), digital_data()),
    "every letter escaped": page(
        item_script(to_json(item()).encode("ascii", "backslashreplace").decode()), digital_data()
    ),
    "a key that nobody knows": page(
        item_script(item() | {"tomorrow": [{"a": {}}]}), digital_data()
    ),
}


@pytest.mark.parametrize("body", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_state_is_read_whatever_surrounds_it(body: str) -> None:
    read = card(body)
    assert read.rung is Rung.STATE
    assert (read.name, read.price, read.city_id) == (WHOLE.name, WHOLE.price, ALMATY)
    assert read.specifications == WHOLE.specifications
    assert read.categories == WHOLE.categories


@pytest.mark.parametrize(
    ("description", "text"),
    [
        pytest.param(None, None, id="null stays null"),
        pytest.param("", None, id="empty is null"),
        pytest.param("<p> </p>", None, id="blank is null"),
        pytest.param(
            'Сковорода {"a"}; };\n <b>BACKEND</b>', 'Сковорода {"a"}; };\nBACKEND', id="code"
        ),
        pytest.param("Лопатка </ 5", "Лопатка", id="a tag that broke off"),
        pytest.param("Обычный текст", "Обычный текст", id="no tags"),
    ],
)
def test_a_description(description: str | None, text: str | None) -> None:
    assert state_card(description=description).description == text


def test_a_description_in_parts() -> None:
    parts = [{"text": "<p>раз</p>"}, {"text": None}, {"text": "два"}]
    assert state_card(description=None, descriptions=parts).description == "раз\nдва"


def test_a_description_that_is_there_needs_no_parts() -> None:
    assert state_card(description="раз", descriptions=[{"text": "два"}]).description == "раз"


@pytest.mark.parametrize(
    ("changes", "price", "before", "percent"),
    [
        pytest.param({}, 8990, 9990, 10, id="a discount"),
        pytest.param(
            {"discount": 0, "unitPriceBeforeDiscount": 0}, 8990, None, 0, id="no discount"
        ),
        pytest.param({"price": None, "discount": None}, None, 9990, None, id="no offers"),
        pytest.param({"price": None}, None, 9990, None, id="a discount on nothing"),
        pytest.param({"price": 8990.0}, 8990, 9990, 10, id="a price with a point"),
        pytest.param({"price": "8990"}, 8990, 9990, 10, id="a price as text"),
        pytest.param({"unitPriceBeforeDiscount": 0.5}, 8990, None, 10, id="a spoilt old price"),
        pytest.param({"discount": "много"}, 8990, 9990, None, id="a spoilt discount"),
    ],
)
def test_prices(
    changes: dict[str, object], price: int | None, before: int | None, percent: int | None
) -> None:
    read = card(page(item_script(item(**changes))))
    assert (read.price, read.price_before_discount) == (price, before)
    assert read.discount_percent == percent


def test_a_card_without_a_price_key_has_no_offers() -> None:
    state = item()
    del state["card"]["price"]
    read = card(whole_page(state))
    assert (read.price, read.discount_percent, read.rung) == (None, None, Rung.STATE)


@pytest.mark.parametrize("price", [0, 0.0, "0", None])
def test_a_price_of_nothing_is_none(price: object) -> None:
    read = card(whole_page(item(price=price)))
    assert (read.price, read.rung) == (None, Rung.STATE)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(page(item_script(item()), digital_data(), ends=""), id="behind the item"),
        pytest.param(whole_page(item()).partition("matrix")[0], id="within the siblings"),
    ],
)
def test_a_page_that_broke_off_before_its_siblings_end_is_asked_again(body: str) -> None:
    """Else a card without variants would be taken for the truth."""
    told = outcome(body)
    assert isinstance(told, TryAgain)
    assert told.reason == "truncated"


def test_a_year_that_is_none_in_utc_costs_itself_alone() -> None:
    state = item()
    state["card"]["createdTime"] = "0001-01-01T00:00:00.000+05:00"
    read = card(whole_page(state))
    assert (read.created_at, read.rung) == (None, Rung.STATE)


def test_a_title_of_blanks_is_looked_for_on_the_next_rung() -> None:
    state = item()
    state["card"]["title"] = " "
    assert card(whole_page(state)).name == WHOLE.name


@pytest.mark.parametrize("price", [-1, 0.5, 8990.5, "нет", "8 990 ₸", True, [], 10**10])
def test_a_price_that_is_no_price_is_named(price: object) -> None:
    told = unreadable(whole_page(item(price=price)))
    assert told.reason == f"no price in {price!r} (page of {KETTLE})"


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param(
            {"title": "Ноутбук 15.6&#34; A&amp;B"}, "name", 'Ноутбук 15.6" A&B', id="title"
        ),
        pytest.param({"title": " Чайник "}, "name", "Чайник", id="a title with blanks"),
        pytest.param({"categoryId": 1777}, "category_id", "1777", id="a number for a text"),
        pytest.param({"categoryId": ""}, "category_id", None, id="an empty category id"),
        pytest.param({"createdTime": "вчера"}, "created_at", None, id="a spoilt moment"),
        pytest.param({"createdTime": "2024-03-05T07:28:26"}, "created_at", None, id="no zone"),
        pytest.param(
            {"createdTime": "2024-03-05T12:28:26+05:00"},
            "created_at",
            datetime(2024, 3, 5, 7, 28, 26, tzinfo=UTC),
            id="a moment in Almaty",
        ),
        pytest.param({"shopLink": None}, "link", None, id="no link"),
        pytest.param(
            {"shopLink": "/shop/p/x-1/"}, "link", "https://kaspi.kz/shop/p/x-1/", id="a longer link"
        ),
        pytest.param({"shopLink": "https://a.kz/p"}, "link", "https://a.kz/p", id="a full link"),
        pytest.param({"promoConditions": None}, "base_product_codes", (), id="no promo"),
        pytest.param(
            {"promoConditions": {"brand": "Без бренда"}}, "brand", "Без бренда", id="none"
        ),
        pytest.param({"promoConditions": {"brand": "A&amp;B"}}, "brand", "A&B", id="a brand"),
    ],
)
def test_a_field_of_the_card(changes: dict[str, object], field: str, value: object) -> None:
    assert getattr(card(page(item_script(item(**changes)))), field) == value


def test_moments_are_in_utc() -> None:
    read = card(page(item_script(item(createdTime="2024-03-05T12:28:26+05:00"))))
    assert read.created_at is not None
    assert read.created_at.tzinfo is UTC


def test_the_brand_is_looked_for_in_the_ld_json_too() -> None:
    state = item_script(item(promoConditions=None))
    assert card(page(state, lds=(ORGANIZATION, ld_json()))).brand == "Tulpar"
    assert card(page(state, lds=(ORGANIZATION,))).brand is None
    assert card(page(state, lds=(ld_json(sku="1", productID="1"),))).brand is None


def test_images_are_the_large_ones_in_order_and_once() -> None:
    assert WHOLE.image_urls == ("https://images.example/1", "https://images.example/2")


def test_categories_leave_out_the_root() -> None:
    assert [(step.code, step.title) for step in WHOLE.categories] == [
        ("Kitchen", "Кухня & дом"),
        ("Kettles", "Чайники"),
    ]
    assert WHOLE.category == "Чайники"


def test_specifications_keep_units_booleans_and_the_invisible() -> None:
    (group,) = WHOLE.specifications
    assert [(one.name, one.values, one.unit) for one in group.features] == [
        ("Материал", ("сталь", "пластик"), None),
        ("Размер", ('15.6"',), None),
        ("Подсветка", ("true",), None),
        ("Объем", ("2",), "л"),
    ]


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param({"galleryImages": None}, id="null for a list"),
        pytest.param({"galleryImages": {}}, id="an object for a list"),
        pytest.param({"breadcrumbs": [{"title": 5}, None, "x"]}, id="spoilt breadcrumbs"),
        pytest.param({"specifications": [None, 5]}, id="spoilt specifications"),
        pytest.param({"description": {"html": "x"}}, id="an object for a description"),
    ],
)
def test_what_has_drifted_costs_itself_alone(spoilt: dict[str, object]) -> None:
    read = state_card(**spoilt)
    assert read.rung is Rung.STATE
    assert (read.name, read.price, read.brand) == (WHOLE.name, WHOLE.price, WHOLE.brand)


def test_values_that_are_no_texts_are_shown_as_texts() -> None:
    features = [
        {
            "name": "Вес",
            "featureValues": [{"value": 2.5}, {"value": True}, {"value": 7}, {"value": []}],
        }
    ]
    (group,) = state_card(specifications=[{"features": features}]).specifications
    assert group.features[0].values == ("2.5", "true", "7")


@pytest.mark.parametrize(
    ("scripts", "city"),
    [
        pytest.param([digital_data(ASTANA)], ASTANA, id="as the page says first"),
        pytest.param([], ASTANA, id="else as the link to the reviews says"),
        pytest.param(["window.digitalData = {};"], ASTANA, id="or when the first is empty"),
        pytest.param(['window.digitalData = {"website":{"regionId":5}};'], "5", id="a number"),
    ],
)
def test_the_city_really_served(scripts: list[str], city: str) -> None:
    assert card(page(item_script(item()), *scripts)).city_id == city


def test_a_page_that_names_no_city() -> None:
    assert card(page(item_script(item(reviewsLink=None)))).city_id is None


def variants(configurator: object) -> list[tuple[str, list[tuple[str, str]], bool | None]]:
    read = card(page(item_script(item()), configurator_script(configurator)))
    return [
        (one.kaspi_id, [(part.title, part.value) for part in one.characteristics], one.available)
        for one in read.variants
    ]


def test_variants_carry_the_characteristics_on_the_way_to_them() -> None:
    assert variants(CONFIGURATOR) == [
        (KETTLE, [("Цвет", "белый"), ("Объем", "2 л")], True),
        ("104500101", [("Цвет", "белый"), ("Объем", "3 л")], True),
    ]


def test_a_choice_that_leads_further_is_no_variant() -> None:
    group = choice("10450000b", choice(KETTLE, id="2", title="Объем", values=[]))
    assert [code for code, *_ in variants(choice(None, group))] == [KETTLE]


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_variants_are_found_at_any_depth(depth: int) -> None:
    tree = choice("104500107", id="0", title="Ярус", values=[])
    for level in range(1, depth):
        tree = choice(None, tree, id=str(level), title="Ярус", values=[])
    ((code, path, _),) = variants(choice(None, tree))
    assert code == "104500107"
    assert [value for _, value in path] == [str(level) for level in reversed(range(depth))]


@pytest.mark.parametrize(
    "configurator",
    [
        pytest.param(None, id="null"),
        pytest.param({"matrix": None}, id="no matrix"),
        pytest.param({"matrix": "later"}, id="a spoilt matrix"),
    ],
)
def test_a_product_without_variants(configurator: object) -> None:
    assert variants(configurator) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(page(head_html=head(), lds=(ORGANIZATION, ld_json())), id="no state"),
        pytest.param(
            page(item_script("{card: 1}"), head_html=head(), lds=(ld_json(),)), id="no JSON"
        ),
        pytest.param(
            page(item_script({"card": {"title": "x"}}), lds=(ld_json(),)), id="a state without id"
        ),
        pytest.param(
            page(lds=("{broken", ld_json(brand={"@type": "Brand", "name": "Tulpar"}))),
            id="a brand of its own",
        ),
    ],
)
def test_the_second_rung(body: str) -> None:
    read = card(body)
    assert read.rung is Rung.LD_JSON
    assert (read.name, read.price, read.brand) == (WHOLE.name, 8990, "Tulpar")
    assert (read.category, read.image_urls) == ("Чайники", ("https://images.example/1",))
    assert read.description == "Кипятит быстро."


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        pytest.param("8990", 8990, id="a text"),
        pytest.param(8990, 8990, id="a number"),
        pytest.param("8990.0", 8990, id="a text with a point"),
        pytest.param("undefined", None, id="undefined"),
        pytest.param("", None, id="an empty text"),
        pytest.param(None, None, id="null"),
    ],
)
def test_the_price_of_the_second_rung(price: object, expected: int | None) -> None:
    lds = (ld_json(offers=[{"lowPrice": None}, {"@type": "Offer", "price": price}]),)
    assert card(page(lds=lds)).price == expected


@pytest.mark.parametrize("price", ["-5", "8990.5", "дешево", 8990.5])
def test_a_price_of_the_second_rung_that_is_none(price: object) -> None:
    told = unreadable(page(lds=(ld_json(offers={"price": price}),)))
    assert told.reason.startswith("no price in ")


def test_the_third_rung() -> None:
    read = card(page(digital_data(), head_html=head(), lds=(ORGANIZATION,)))
    assert read.rung is Rung.META
    assert (read.name, read.price, read.city_id) == (WHOLE.name, 8990, ALMATY)
    assert read.link == "https://kaspi.kz/shop/p/chainik-tulpar-t-200-belyi-104500100/"
    assert (read.brand, read.description, read.variants) == (None, None, ())


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        pytest.param(' content="8990"', 8990, id="a price"),
        pytest.param("", None, id="no content"),
        pytest.param(' content=""', None, id="empty content"),
    ],
)
def test_the_price_of_the_third_rung(price: str, expected: int | None) -> None:
    assert card(page(head_html=head(price=price))).price == expected


@pytest.mark.parametrize(
    "removed",
    [
        pytest.param("", id="the description wraps it"),
        pytest.param(r'<meta name="description"[^>]*>', id="else the title does"),
    ],
)
def test_the_name_of_the_third_rung(removed: str) -> None:
    bare = re.sub(removed, "", head()) if removed else head()
    assert card(page(head_html=bare)).name == WHOLE.name


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(page(item_script(item(id="104500199")), head_html=head()), id="in the state"),
        pytest.param(page(lds=(ld_json(sku="104500199"),)), id="in the ld+json"),
        pytest.param(page(head_html=head(product="104500199")), id="in the metas"),
        pytest.param(
            page(head_html='<link rel="canonical" href="https://kaspi.kz/shop/p/x-104500199/">'),
            id="in the address",
        ),
    ],
)
def test_another_product_is_refused(body: str) -> None:
    read = outcome(body)
    assert isinstance(read, TryAgain)
    assert read.reason == "other_product"
    assert f"that of 104500199 (page of {KETTLE})" in read.remedy


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("", 404, id="404"),
        pytest.param(whole_page(), 404, id="404 with a page"),
        pytest.param("", 410, id="410"),
        pytest.param(
            page(head_html="<title>Страница не найдена | Kaspi Магазин</title>"),
            200,
            id="its title",
        ),
    ],
)
def test_a_product_that_does_not_exist(body: str, status: int) -> None:
    assert outcome(body, status) == ProductMissing(kaspi_id=KETTLE, checked_at=NOW)


CUT_IN_STATE = whole_page().split('"breadcrumbs"')[0]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param("<!DOCTYPE html><html>", 200, "truncated", id="a stub"),
        pytest.param("", 200, "truncated", id="nothing"),
        pytest.param(CUT_IN_STATE, 200, "truncated", id="a page that broke off in its state"),
        pytest.param(page(), 200, "empty_shell", id="a shell"),
        pytest.param(
            page(CITIES, head_html="<title>Kaspi</title>"), 200, "empty_shell", id="cities"
        ),
        pytest.param(
            page(head_html='<meta property="og:title" content="Kaspi">'),
            200,
            "empty_shell",
            id="meta",
        ),
        pytest.param(
            page(CITIES, head_html="<div class='g-recaptcha'></div>"),
            200,
            "empty_shell",
            id="a shell with the review form's captcha",
        ),
        pytest.param("<html><div id='captcha'></div></html>", 200, "captcha", id="a captcha"),
        pytest.param(whole_page(), 403, "forbidden", id="403 whatever it holds"),
        pytest.param("<!DOCTYPE html><html>", 429, "too_many_requests", id="429"),
        pytest.param("", 503, "server_error", id="503"),
    ],
)
def test_a_page_to_ask_for_again(body: str, status: int, reason: str) -> None:
    read = outcome(body, status)
    assert isinstance(read, TryAgain)
    assert read.reason == reason


def test_a_page_of_the_storefront_that_is_no_products() -> None:
    link = '<link rel="canonical" href="https://kaspi.kz/shop/search/?text=">'
    assert "/shop/search/" in unreadable(page(CITIES, head_html=link)).reason


def test_bytes_that_are_not_utf_8_cost_their_own_letters_only() -> None:
    body = page(item_script(item()), digital_data()).encode()
    read = card(body.replace("сталь".encode(), b"\xd1\xf2\xe0\xeb\xfc"))
    assert (read.name, read.price) == (WHOLE.name, 8990)
    assert "�" in read.specifications[0].features[0].values[0]


def test_half_a_character_is_mended() -> None:
    title = to_json(item(title="Чайник @")).replace("@", "\\ud83d")
    read = card(page(item_script(title)))
    assert read.name == "Чайник ?"
    assert read.rung is Rung.STATE


@given(
    title=st.text(min_size=1).filter(lambda text: text.strip() and "&" not in text),
    values=st.lists(st.text(), max_size=5),
    after=st.sampled_from(["", ";", "; x = null", "; x = {a: 1}"]),
)
def test_any_texts_are_read_back(title: str, values: list[str], after: str) -> None:
    state: dict[str, Any] = item(title=title)
    state["specifications"][0]["features"] = [
        {"name": "x", "featureValues": [{"value": value} for value in values]}
    ]
    body = page(item_script(to_json(state).replace("</", "<\\/"), after=after))
    read = card(body.encode("utf-8", "surrogatepass"))
    assert read.name == title.strip()
    kept = [value for value in values if "&" not in value]
    assert [one for one in read.specifications[0].features[0].values if one in kept] == kept


def test_a_raw_tab_in_a_text_costs_nothing() -> None:
    body = whole_page(item(title="Чайник TABбелый")).replace("TAB", "\t")
    read = card(body)
    assert (read.rung, read.name) == (Rung.STATE, "Чайник \tбелый")


@pytest.mark.parametrize("brand", ["undefined", "null"])
def test_a_word_of_the_page_s_scripts_is_no_brand(brand: str) -> None:
    state = item()
    state["card"]["promoConditions"] = None
    body = page(item_script(state), configurator_script(), lds=(ld_json(brand=brand),))
    assert card(body).brand is None


def test_a_price_of_the_markup_that_is_none_costs_a_card_with_state_nothing() -> None:
    state = item()
    state["card"]["promoConditions"] = None
    body = page(item_script(state), configurator_script(), lds=(ld_json(offers={"price": 8990.5}),))
    assert (card(body).rung, card(body).brand) == (Rung.STATE, None)
