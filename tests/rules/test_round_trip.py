"""What is exported and imported again is as it was: every key, every format, both languages."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identity import CityId, MerchantId, ProductId
from domain.shop import RuleLine, Store
from kaspi_crawler.rules.checks import Kept, check
from kaspi_crawler.rules.columns import RULES
from kaspi_crawler.rules.records import records
from kaspi_crawler.rules.wishes import name_of
from kaspi_crawler.rules.words import WORDS
from kaspi_crawler.rules.writing import WRITERS
from kaspi_crawler.said import Language
from repricer.spoken import RULE_KEYS, Key, read_rule
from tests.rules.building import read, told
from tests.rules.test_windows import WINDOWS

#: One line of text that a cell can hold as it is, whatever it begins with.
TEXTS = (
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and text.isprintable() and text not in {"-", "–", "—"})
    .filter(lambda text: not text.replace(",", ".").upper().startswith(tuple("0123456789")))
) | st.sampled_from(["=1+1", "'=1", "''", "+7", "-1", "@x", "#REF!", "007", "1e", "yes", "null"])
MERCHANTS = st.lists(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True), min_size=1, unique=True
)


def values(key: Key) -> st.SearchStrategy[Any]:
    """What a rule may say under a key."""
    low, high = key.lowest or 0, key.highest or 0
    if key.name == "floor":
        low = 0
    found: dict[str, st.SearchStrategy[Any]] = {
        "word": st.sampled_from(list(key.words or ("",))),
        "switch": st.booleans(),
        "name": MERCHANTS.map(lambda some: some[0]) if key.name == "follow" else TEXTS,
        "names": MERCHANTS,
        "shares": st.lists(st.integers(low, high), min_size=1, max_size=5),
        "windows": WINDOWS,
        "decimal": st.decimals(0, 1_000, places=3),
        "rating": st.decimals(0, 5, places=2),
    }
    return found.get(key.kind, st.integers(low, high)) | st.none()


SAID = st.fixed_dictionaries({}, optional={key.name: values(key) for key in RULE_KEYS.values()})
LINES = st.lists(
    st.builds(
        lambda sku, city, said: RuleLine(
            store=MerchantId("30000001"),
            sku=sku,
            city=city,
            said=said,
            kaspi_id=ProductId("102298404") if sku else None,
        ),
        sku=TEXTS | st.just(""),
        city=st.sampled_from([None, CityId("750000000"), CityId("710000000")]),
        said=SAID,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda line: (line.sku, line.city),
)
STORES = st.builds(
    Store,
    id=st.just(MerchantId("30000001")),
    name=TEXTS,
    owner=TEXTS | st.none(),
    sisters=st.none() | MERCHANTS.map(lambda some: frozenset(map(MerchantId, some))),
)


def there_and_back(
    lines: Iterable[RuleLine], stores: Iterable[Store], form: str, language: Language
) -> tuple[list[RuleLine], list[Store]]:
    with TemporaryDirectory() as directory:
        path = Path(directory) / f"rules.{form}"
        with path.open("wb") as file:
            rows = records(lines, stores, {}, language)
            WRITERS[form](file, RULES.columns, rows, language)
        wishes = read(path)
    assert told(wishes) == []
    rules = [wish.rule for wish in wishes.wishes if wish.rule.said or wish.rule.sku]
    return rules, [wish.store for wish in wishes.wishes if wish.store is not None]


@pytest.mark.parametrize("form", WRITERS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
@given(lines=LINES, store=STORES, language=st.sampled_from(Language))
def test_nothing_is_lost_on_the_way(
    form: str, lines: list[RuleLine], store: Store, language: Language
) -> None:
    kept = sorted((line for line in lines if line.sku or line.said), key=name_of)
    assert there_and_back(kept, [store], form, language) == (kept, [store])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(lines=LINES)
def test_what_a_table_may_say_the_engine_understands(lines: list[RuleLine]) -> None:
    for line in lines:
        said = {key: value for key, value in line.said.items() if value is not None}
        if said.get("strategy") == "follow" and "follow" not in said:
            continue
        read_rule(msgspec.json.Encoder(decimal_format="number").encode(said))


def test_every_key_of_a_rule_has_its_column_and_every_word_its_name() -> None:
    assert set(RULE_KEYS) <= set(RULES.by_key)
    for key in RULE_KEYS.values():
        if key.words:
            assert set(WORDS[key.name].russian) == set(key.words)


def test_the_names_of_columns_are_not_mistaken_for_each_other() -> None:
    for column in RULES.columns:
        for name in (column.key, column.russian, *column.others):
            assert RULES.by_title["".join(
                sign for sign in name.casefold().replace("ё", "е") if sign.isalnum() or sign in "%₸"
            )] is column  # fmt: skip


def test_the_engine_s_own_defaults_survive() -> None:
    said = {"weight_kg": Decimal("0.5"), "min_rating": 5, "compare_delivery": True, "ignore": []}
    line = RuleLine(store=MerchantId("1"), sku="1", said=said, kaspi_id=ProductId("102298404"))
    [rule], _ = there_and_back([line], [], "xlsx", Language.ENGLISH)
    assert rule.said == {
        "weight_kg": Decimal("0.5"),
        "min_rating": 5,
        "compare_delivery": "same_or_faster",
        "ignore": None,
    }


def test_reading_twice_changes_nothing() -> None:
    line = RuleLine(
        store=MerchantId("1"), sku="1", said={"floor": 5}, kaspi_id=ProductId("102298404")
    )
    rules, _ = there_and_back([line], [], "csv", Language.RUSSIAN)
    assert rules == [line]
    assert check([], Kept({}, {})).lines == []
