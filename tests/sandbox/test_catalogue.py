"""A seeded shop: plausible, varied, and the same for everybody."""

import html
import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.catalogue import Catalogue, catalogue, slug
from sandbox.goods import NO_BRAND

#: Prints a fingerprint of the shop.
DIGEST_CODE = """
import hashlib, msgspec
from sandbox.catalogue import catalogue
cards = catalogue(7, 60).cards.values()
told = [(c.id, c.title, c.price, c.images, c.base_codes, c.slug, str(c.created_at)) for c in cards]
print(hashlib.sha256(msgspec.json.encode(told)).hexdigest())
"""


@pytest.fixture(scope="module")
def shop() -> Catalogue:
    return catalogue(7, 320)


def digest_in_another_process(hash_seed: str) -> str:
    """A fingerprint of the shop made where Python orders its sets in another way."""
    made = subprocess.run(
        [sys.executable, "-c", DIGEST_CODE],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def test_the_same_seed_makes_the_same_shop_whatever_the_order_of_sets() -> None:
    assert digest_in_another_process("1") == digest_in_another_process("2")


def test_the_shop_of_a_seed_is_the_same_on_every_machine_and_python() -> None:
    told = [(card.id, card.title, card.price) for card in catalogue(7, 2).cards.values()]
    assert told == [
        ("146496562", "Сухой корм для кошек Barys Pet Kitten лосось 400 г", 6_043),
        ("121523473", "Парфюмерная вода Rayhan Iris 7 30 мл", 14_610),
    ]


def test_another_seed_makes_another_shop() -> None:
    assert list(catalogue(7, 20).cards) != list(catalogue(8, 20).cards)


@given(seed=st.integers(0, 10_000), products=st.integers(1, 90))
@settings(max_examples=40, deadline=None)
def test_there_are_exactly_as_many_cards_as_asked_for(seed: int, products: int) -> None:
    cards = catalogue(seed, products).cards
    assert len(cards) == products
    assert all(re.fullmatch(r"\d{9}", number) for number in cards)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_every_leaf_of_a_configurator_is_a_card_of_the_shop(seed: int) -> None:
    cards = catalogue(seed, 60).cards
    for card in cards.values():
        shades = card.family.shades if card.family else ()
        leaves = [leaf.id for shade in shades for leaf in shade.siblings]
        assert not leaves or card.id in leaves
        assert all(leaf in cards for leaf in leaves)


def test_goods_come_from_at_least_twelve_categories(shop: Catalogue) -> None:
    assert len({card.kind.leaf for card in shop.cards.values()}) >= 12


def test_a_third_of_the_cards_are_variants(shop: Catalogue) -> None:
    varied = sum(card.family is not None for card in shop.cards.values())
    assert 90 <= varied <= 125


def test_some_families_differ_by_colour_and_size_and_some_by_one_thing(shop: Catalogue) -> None:
    families = [card.family for card in shop.cards.values() if card.family]
    levels = Counter(family.shades[0].colour is None for family in families)
    assert levels[True] > 0
    assert levels[False] > 0


def test_siblings_share_the_model_and_colours_have_codes_of_their_own(shop: Catalogue) -> None:
    card = next(c for c in shop.cards.values() if c.family and len(c.family.shades) > 1)
    assert card.family is not None
    model, colour = card.base_codes
    assert re.fullmatch(r"\[Master - [\w -]+\]\[[\w-]*\]\{\d{9}\}", model)
    assert re.fullmatch(r"\d{8}b", colour)
    assert len({shade.base_code for shade in card.family.shades}) == len(card.family.shades)


@pytest.mark.parametrize(
    "present",
    [
        pytest.param(lambda c: "&#34;" in c.escaped_title, id="a title with an escaped inch mark"),
        pytest.param(lambda c: "&amp;" in c.escaped_title, id="a title with an escaped ampersand"),
        pytest.param(lambda c: c.description is None, id="a card without a description"),
        pytest.param(lambda c: c.description and "<" in c.description, id="an HTML description"),
        pytest.param(lambda c: c.brand == NO_BRAND, id="goods without a brand"),
        pytest.param(
            lambda c: any(i.endswith(".JPG") for i in c.images), id="an image in capitals"
        ),
        pytest.param(
            lambda c: any(i.startswith("p") for i in c.images), id="an image of the new kind"
        ),
        pytest.param(
            lambda c: any(i.startswith("h") for i in c.images), id="an image of the old kind"
        ),
        pytest.param(
            lambda c: any(v.trait.type == "BOOLEAN" for v in c.values), id="a yes-or-no trait"
        ),
        pytest.param(lambda c: any(len(v.values) > 1 for v in c.values), id="several values"),
    ],
)
def test_the_shop_has(shop: Catalogue, present: object) -> None:
    assert callable(present)
    assert any(present(card) for card in shop.cards.values())


def test_most_descriptions_are_missing(shop: Catalogue) -> None:
    missing = sum(card.description is None for card in shop.cards.values())
    assert missing > len(shop.cards) / 2


def test_an_escaped_title_reads_back(shop: Catalogue) -> None:
    for card in shop.cards.values():
        assert html.unescape(card.escaped_title) == card.title


@pytest.mark.parametrize(
    ("title", "spelt"),
    [
        pytest.param("Комплект чёрный", "komplekt-chernyi", id="Cyrillic letters"),
        pytest.param('Ноутбук 15.6" / 16 Гб', "noutbuk-15-6-16-gb", id="signs become dashes"),
        pytest.param("Аққу Баспа", "akku-baspa", id="Kazakh letters"),
    ],
)
def test_addresses_are_spelt_in_latin(title: str, spelt: str) -> None:
    assert slug(title) == spelt
