"""Clean: what people typed is tidied, and nothing else is touched."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.product import Category, Characteristic, Variant
from pipelines.clean import Clean, clean_board, clean_card, clean_text, is_tidy
from tests.building import KETTLE, board, card, missing, offer, refresh, reviews
from tests.discoveries import category, listed, listing, review, texts, tree
from tests.goods import article, page, whole

TEXTS = st.text(st.sampled_from("аб \t\n\r\x00\x1f\ufeff\xa0\u2003x¦.&"), max_size=12)


@pytest.mark.parametrize(
    ("typed", "tidy"),
    [
        pytest.param("Tehno Trade ", "Tehno Trade", id="a blank behind"),
        pytest.param("  ИП  Пример\t5 ", "ИП Пример 5", id="blanks and tabs between"),
        pytest.param("Нур\xa0Маркет", "Нур Маркет", id="a blank that does not break"),
        pytest.param("a\x00b\x07c", "abc", id="control characters"),
        pytest.param("\ufeffСклад", "Склад", id="a byte order mark"),
        pytest.param("Чайник\nбелый", "Чайник\nбелый", id="line ends stay"),
        pytest.param("Чайник\r\nбелый", "Чайник\nбелый", id="of two signs one stays"),
        pytest.param("B&M < 5 ₸ 👍", "B&M < 5 ₸ 👍", id="signs, tenge and pictures stay"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_text_becomes(typed: str, tidy: str) -> None:
    assert clean_text(typed) == tidy


@given(TEXTS)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.lists(TEXTS, max_size=4))
def test_texts_that_are_called_tidy_are_those_that_cleaning_would_not_change(
    texts: list[str],
) -> None:
    if is_tidy(texts):
        assert [clean_text(text) for text in texts] == texts


@pytest.mark.parametrize("name", ["seller", "merchant_sku", "title", "located_in_point"])
def test_what_sellers_type_is_tidied(name: str) -> None:
    untidy: dict[str, Any] = {name: " Лавка \x00 5 "}
    cleaned = clean_board(board(offer(**untidy), offer("102"))).offers
    assert getattr(cleaned[0], name) == "Лавка 5"
    assert cleaned[1] == offer("102")


def test_a_tidy_board_is_the_same_object() -> None:
    tidy = board(offer("101"), offer("102", merchant_sku=None, title=None))
    assert clean_board(tidy) is tidy


def test_cards_are_tidied_down_to_the_last_variant() -> None:
    untidy = card(
        name=" Чайник  Tulpar ",
        description="Кипятит \x00 воду.\nМолчит. ",
        categories=(Category(code="Kettles", title=" Чайники "),),
        variants=(
            Variant(
                kaspi_id=KETTLE,
                characteristics=(Characteristic(title="Цвет ", value="  белый"),),
                available=None,
            ),
        ),
    )
    cleaned = clean_card(untidy)
    assert cleaned.name == "Чайник Tulpar"
    assert cleaned.description == "Кипятит воду.\nМолчит."
    assert cleaned.category == "Чайники"
    assert cleaned.variants[0].characteristics == (Characteristic(title="Цвет", value="белый"),)


def test_a_tidy_card_stays_as_it_is() -> None:
    assert clean_card(card()) == card()


def test_a_refresh_is_tidied_in_all_its_parts() -> None:
    untidy = refresh(board(offer(seller="Лавка ")))
    untidy = attrs.evolve(untidy, card=attrs.evolve(untidy.card, name=" Чайник"))
    cleaned = Clean().process_item(untidy)
    assert cleaned == refresh(
        board(offer(seller="Лавка")), card=attrs.evolve(card(), name="Чайник")
    )


@pytest.mark.parametrize(
    "reading", [pytest.param(reviews(), id="reviews"), pytest.param(missing(), id="missing")]
)
def test_readings_without_typed_text_pass(reading: Any) -> None:
    assert Clean().process_item(reading) is reading


def test_what_leads_to_products_is_tidied_too() -> None:
    assert Clean().process_item(listing(listed(title="Чай\x00ник  белый "))) == listing(
        listed(title="Чайник белый")
    )
    assert Clean().process_item(texts(review(1, text=" Кипя\x07тит.\nДолго. "))) == texts(
        review(1, text="Кипятит.\nДолго.")
    )
    assert Clean().process_item(tree(category(title="Чайники "))) == tree(category())


def test_names_of_our_goods_are_tidied_and_their_articles_are_not() -> None:
    untidy = page(article("A  1 ", title=" Чайник\x00 ", model="T  200", brand=" Tulpar "))
    assert Clean().process_item(untidy) == page(
        article("A  1 ", title="Чайник", model="T 200", brand="Tulpar")
    )
    end = whole(began=0, minutes=1)
    assert Clean().process_item(end) is end
