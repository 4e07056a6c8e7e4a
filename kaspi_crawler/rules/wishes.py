"""What a table of rules wishes: a line a row, each by itself."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from domain.identity import CityId, MerchantId, ProductId
from domain.shop import RuleLine, Store
from kaspi_crawler.rules.columns import RULES
from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.rules.tables import Known, Line, Reading, read_cells, read_lines
from kaspi_crawler.said import Language, Said
from repricer.spoken import RULE_KEYS

#: What names a line: store, sku, city; empty where the line has none.
Name = tuple[str, str, str]

_NAMES = frozenset({"store", "sku", "city"})
_STORE_ALONE = ("owner", "sisters")
_NO_STORE = Said(
    "is empty: name the store, or say --store ID", "пуст: назовите магазин или скажите --store ID"
)
_NO_SKU = Said(
    "is empty, which is for the store's defaults; they have no product",
    "пуст, а это строка умолчаний магазина: у неё нет товара",
)
_ONLY_STORES = Said(
    "is only for a store's row: one without sku and city",
    "— только для строки магазина: без артикула и города",
)


@attrs.frozen(eq=False)
class Wish:
    """A row: the line of rules that it wishes, and what it says of the store.

    `wrong` are its columns with mistakes, whose values it lacks; such a row is never applied.
    """

    line: Line
    rule: RuleLine
    store: Store | None
    wrong: frozenset[str]
    right: bool

    @property
    def name(self) -> Name:
        """What the line is called."""
        return name_of(self.rule)


def name_of(rule: RuleLine) -> Name:
    """What a line of rules is called."""
    return (rule.store, rule.sku, rule.city or "")


@attrs.define
class Wishes:
    """All that a file wishes whose rows can be told apart, and what is wrong with each row."""

    reading: Reading = attrs.field(factory=Reading)
    wishes: list[Wish] = attrs.field(factory=list)
    rows: int = 0


def read_wishes(path: Path, store: MerchantId | None) -> Wishes:
    """Read a table of rules; `store` is meant where a row names none.

    Raises BadArgument, OSError.
    """
    told = Wishes()
    layout = RULES if store is None else attrs.evolve(RULES, needed=())
    first: dict[Name, Line] = {}
    twice: set[Name] = set()
    known: Known = defaultdict(dict)
    for line in read_lines(path, layout, told.reading):
        told.rows += 1
        mistakes: list[Mistake] = []
        values = read_cells(line, layout, known, mistakes)
        mistakes += _of_row(line, values, store)
        wrong = frozenset(line.cells) - values.keys()
        if not wrong & _NAMES and ("store" in values or store is not None):
            wish = _wish(line, values, store, wrong)
            repeated = _said_before(wish, first)
            twice |= {wish.name} if repeated else set()
            mistakes += repeated
            told.wishes.append(attrs.evolve(wish, right=False) if mistakes else wish)
        told.reading.mistakes += mistakes
    if twice:
        # Nobody knows which of both is meant.
        told.wishes = [
            attrs.evolve(wish, right=False) if wish.name in twice else wish for wish in told.wishes
        ]
    return told


def _of_row(line: Line, values: Mapping[str, object], store: MerchantId | None) -> list[Mistake]:
    """What the names of a row lack, or have too much of."""
    found = []
    if "store" not in line.cells and store is None:
        found.append(line.mistake(RULES.by_key["store"], _NO_STORE))
    if "sku" not in line.cells and "product" in line.cells:
        found.append(line.mistake(RULES.by_key["sku"], _NO_SKU))
    if "sku" in line.cells or "city" in line.cells:
        found += [
            line.mistake(RULES.by_key[key], _ONLY_STORES) for key in _STORE_ALONE if key in values
        ]
    return found


def _wish(
    line: Line, values: Mapping[str, Any], store: MerchantId | None, wrong: frozenset[str]
) -> Wish:
    named = MerchantId(values.get("store") or store or "")
    city = values.get("city")
    rule = RuleLine(
        store=named,
        sku=str(values.get("sku", "")),
        city=None if city is None else CityId(city),
        said={key: value for key, value in values.items() if key in RULE_KEYS},
        kaspi_id=None if "product" not in values else ProductId(values["product"]),
    )
    is_store = not rule.sku and rule.city is None
    return Wish(line, rule, _store(named, values) if is_store else None, wrong, right=True)


def _store(store: MerchantId, values: Mapping[str, Any]) -> Store | None:
    """What a store's row says of the store, None when that is nothing."""
    sisters = values.get("sisters")
    if not values.keys() & {"name", *_STORE_ALONE}:
        return None
    return Store(
        id=store,
        name=values.get("name"),
        owner=values.get("owner"),
        sisters=None if sisters is None else frozenset(map(MerchantId, sisters)),
    )


def _said_before(wish: Wish, first: dict[Name, Line]) -> list[Mistake]:
    """A second row of one store, sku and city."""
    before = first.setdefault(wish.name, wish.line)
    if before is wish.line:
        return []
    where = before.place()
    what = Said(
        f"says the same store, sku and city as {where.in_(Language.ENGLISH)}: leave one of both",
        f"повторяет магазин, артикул и город, что и {where.in_(Language.RUSSIAN)}: оставьте одну",
    )
    column = RULES.by_key["sku" if wish.rule.sku else "store"]
    name = " ".join(filter(None, wish.name))
    return [Mistake(place=wish.line.place(column), value=name, what=what)]
