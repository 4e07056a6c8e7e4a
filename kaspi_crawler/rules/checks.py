"""What the rows of a table make of each other, of the store's defaults and of what is kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from domain.identity import MerchantId, ProductId
from domain.pricing import WHOLE, Reason
from domain.shop import RuleLine, Store
from kaspi_crawler.rules.columns import RULES
from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.rules.raw import Percent, shown
from kaspi_crawler.rules.records import cell
from kaspi_crawler.rules.wishes import Name, Wish, name_of
from kaspi_crawler.said import Language, Said, spaced
from repricer.allowed import prepare
from repricer.spoken import BadSituation, read_rule
from repricer.tariffs import Tariffs, packaged

#: From this price on the delivery fee depends on the weight (tariff of 2026), in tenge.
_WEIGHED_FROM = 10_000
_NO_WEIGHT = Said(
    "no weight_kg: delivery is counted for 1 kg, and heavier goods may be sold at a loss",
    "нет веса: доставка считается как за 1 кг, тяжёлый товар может уйти в убыток",
)
#: Beyond so many basis points a guard keeps nothing back.
_GUARDS = {"max_change_bp": 10_000, "max_change_day_bp": 50_000, "anomaly_bp": 10_000}
_OPEN = Said(
    "keeps nothing back: is 30 % meant, and the cell one of percents?",
    "ничего не удержит: имелось в виду 30 %, а ячейка в процентах?",
)
#: So many times more is a zero too many.
_ZERO_TOO_MANY = 10
#: So many basis points are a percent; the columns in which less is seldom meant.
_PERCENT = 100
_USUALLY_PERCENTS = {
    "margin_bp", "aged_margin_bp", "commission_bp", "tax_bp", "max_change_bp",
    "max_change_day_bp", "anomaly_bp", "stock_low_raise_bp",
}  # fmt: skip

_NOT_LISTED = Said(
    "is empty, and this article is not listed yet: name the product that it is sold under",
    "пуст, а такого артикула ещё нет: назовите товар, под которым он продаётся",
)
_TWO_PRODUCTS = Said(
    "is another product than in another row of this article",
    "— другой товар, чем в другой строке этого артикула",
)
_NOBODY = Said(
    "is empty, and the strategy follow needs a merchant's id",
    "пуст, а стратегии «следовать» нужен id продавца",
)
_NOTHING = Said(
    "neither floor nor cost is said: this price will not be touched",
    "нет ни минимума, ни закупки: эту цену трогать не будем",
)
_NO_PRICE = Said(
    "cost, margin, floor and ceiling leave no allowed price: this price will not be touched",
    "закупка, маржа, минимум и максимум не оставляют разрешённой цены: её трогать не будем",
)
_ERASED = Said(
    "holds now, and is taken back: the cell is empty (a column that is not in the file keeps it)",
    "действует сейчас и будет снято: ячейка пуста (если столбца в файле нет, всё остаётся)",
)
_IDLE = {
    "stock_low_raise_bp": "stock_low",
    "aged_margin": "aged_days",
    "aged_margin_bp": "aged_days",
    "faster_premium": "compare_delivery",
    "faster_by_days": "compare_delivery",
    "offset": "follow",
}


@attrs.frozen
class Kept:
    """What the database has of the stores in a file: lines in force, and listings."""

    lines: Mapping[Name, Mapping[str, Any]]
    listings: Mapping[tuple[MerchantId, str], ProductId]

    @classmethod
    def of(
        cls, lines: Iterable[RuleLine], listings: Mapping[tuple[MerchantId, str], ProductId]
    ) -> "Kept":
        return cls({name_of(line): line.said for line in lines}, listings)


@attrs.define
class Outcome:
    """What would be applied, and what is wrong or odd about it."""

    lines: list[RuleLine] = attrs.field(factory=list)
    stores: list[Store] = attrs.field(factory=list)
    mistakes: list[Mistake] = attrs.field(factory=list)
    warnings: list[Mistake] = attrs.field(factory=list)
    wrong: set[Wish] = attrs.field(factory=set)
    #: Values that hold now, and would not any more, for nothing stands in their cells.
    erased: list[Mistake] = attrs.field(factory=list)

    def add(self, wish: Wish, key: str | None, what: Said) -> None:
        """Note a mistake of a row, unless that cell has one already."""
        self.wrong.add(wish)
        if key not in wish.wrong:
            column = None if key is None else RULES.by_key[key]
            self.mistakes.append(wish.line.mistake(column, what))

    def warn(self, wish: Wish, key: str | None, what: Said) -> None:
        """Note something odd in a row that is right otherwise."""
        if wish.right:
            column = None if key is None else RULES.by_key[key]
            self.warnings.append(wish.line.mistake(column, what, warns=True))


def check(wishes: Sequence[Wish], kept: Kept) -> Outcome:
    """Lay the rows over what is kept, and look at every rule that comes of it."""
    outcome = Outcome()
    _check_products(wishes, kept, outcome)
    rules = {wish.name: _with_kept(wish, kept) for wish in wishes}
    outcome.lines = [
        _line(wish, rules[wish.name])
        for wish in wishes
        if wish.rule.sku or rules[wish.name] or wish.name in kept.lines
    ]
    outcome.stores = [wish.store for wish in wishes if wish.store is not None]
    outcome.erased = [
        mistake for wish in wishes for mistake in _erased(wish, rules[wish.name], kept)
    ]
    by_name = {wish.name: wish for wish in wishes}
    _Look(by_name, {**kept.lines, **rules}, kept, outcome, packaged()).over_all()
    return outcome


def _line(wish: Wish, said: Mapping[str, Any]) -> RuleLine:
    rule = wish.rule
    return rule if said is rule.said else attrs.evolve(rule, said=said)


def _with_kept(wish: Wish, kept: Kept) -> Mapping[str, Any]:
    """What the row says, and of what is kept that for which its sheet has no column."""
    columns, before = wish.line.columns, kept.lines.get(wish.name)
    if columns is None or before is None:
        return wish.rule.said
    stays = {key: value for key, value in before.items() if key not in columns}
    return {**stays, **wish.rule.said} if stays else wish.rule.said


def _erased(wish: Wish, said: Mapping[str, Any], kept: Kept) -> Iterator[Mistake]:
    """What is kept of the row's line, and the row has an empty cell for."""
    before = kept.lines.get(wish.name, {})
    for key in before.keys() - said.keys() - wish.wrong:
        column = RULES.by_key[key]
        told = Said(*(shown(cell(column, before[key], one) or "") for one in Language))
        place = wish.line.place(column)
        yield Mistake(place=place, value=told, what=_ERASED, warns=True)


def _check_products(wishes: Sequence[Wish], kept: Kept, outcome: Outcome) -> None:
    """Each article has one product, by this file or by what is kept."""
    named: dict[tuple[MerchantId, str], ProductId] = {}
    for wish in wishes:
        rule, article = wish.rule, (wish.rule.store, wish.rule.sku)
        if rule.kaspi_id is None:
            continue
        if named.setdefault(article, rule.kaspi_id) != rule.kaspi_id:
            outcome.add(wish, "product", _TWO_PRODUCTS)
        elif kept.listings.get(article, rule.kaspi_id) != rule.kaspi_id:
            outcome.warn(wish, "product", _another_product(kept.listings[article]))
    for wish in wishes:
        article = (wish.rule.store, wish.rule.sku)
        if wish.rule.sku and article not in named and article not in kept.listings:
            outcome.add(wish, "product", _NOT_LISTED)


def _another_product(before: ProductId) -> Said:
    return Said(
        f"takes the place of {before}: the article moves to another card",
        f"вместо {before}: артикул переходит на другую карточку",
    )


@attrs.define
class _Look:
    """Looks at the rule of each listing that the rows have a part in."""

    wishes: Mapping[Name, Wish]
    lines: Mapping[Name, Mapping[str, Any]]
    kept: Kept
    outcome: Outcome
    tariffs: Tariffs
    #: Rows of defaults that spoil rules of others: how many, and the first of them.
    spoilt: dict[tuple[Wish, str], list[Name]] = attrs.field(factory=dict)
    sentences: dict[tuple[Wish, str], Said] = attrs.field(factory=dict)

    def over_all(self) -> None:
        for name in self._rules():
            layers = _layers(name)
            wish = next((self.wishes[one] for one in layers if one in self.wishes), None)
            if wish is not None:
                self._at(name, wish, self._laid(layers))
        for (wish, key), names in self.spoilt.items():
            self.outcome.add(wish, key, _of_others(self.sentences[wish, key], names))

    def _rules(self) -> Iterator[Name]:
        """Every rule that is made of the lines: of each article, everywhere and by city."""
        cities: dict[tuple[str, str], set[str]] = {}
        for store, sku, city in self.lines:
            cities.setdefault((store, sku), set()).add(city)
        defaults = {store for store, sku in cities if not sku}
        listed = ((store, sku) for store, sku in self.kept.listings if store in defaults)
        articles = dict.fromkeys((*cities, *listed))
        for store, sku in articles:
            own = cities.get((store, sku), set())
            for city in sorted(own | cities.get((store, ""), set()) | {""}):
                yield store, sku, city

    def _laid(self, layers: Sequence[Name]) -> dict[str, Any]:
        """The rule as it holds: the nearest line's word has the last say."""
        said: dict[str, Any] = {}
        for name in reversed(layers):
            said |= self.lines.get(name, {})
        return {key: value for key, value in said.items() if value is not None}

    def _at(self, name: Name, wish: Wish, said: Mapping[str, Any]) -> None:
        key: str | None
        impossible = list(_contradictions(said, is_default=not name[1]))
        for key, what in impossible:
            if name == wish.name:
                self.outcome.add(wish, _cell(wish, key), what)
            else:
                self.spoilt.setdefault((wish, key), []).append(name)
                self.sentences.setdefault((wish, key), what)
        if impossible or name != wish.name or not wish.right:
            return
        odd = _oddities(said, wish, self.tariffs) if name[1] else _oddities_of_defaults(said, wish)
        for key, what in odd:
            self.outcome.warn(wish, key, what)


def _layers(name: Name) -> list[Name]:
    """The lines of which a rule is made, the nearest first."""
    store, sku, city = name
    layers = [(store, sku, city), (store, sku, ""), (store, "", city), (store, "", "")]
    return list(dict.fromkeys(layers))


def _of_others(what: Said, names: Sequence[Name]) -> Said:
    """What a row does to the rules of other lines."""
    named = " ".join(filter(None, names[0][1:])) or names[0][0]
    return Said(
        f"{what.en} (in rules that the file does not name: {len(names)}, the first is {named})",
        f"{what.ru} (в правилах вне файла: {len(names)}, первое — {named})",
    )


def _cell(wish: Wish, key: str) -> str:
    """The column to blame: of floor and ceiling the one that the row says."""
    if key == "ceiling" and "ceiling" not in wish.line.cells and "floor" in wish.line.cells:
        return "floor"
    return key


def _contradictions(said: Mapping[str, Any], *, is_default: bool) -> Iterator[tuple[str, Said]]:
    """What makes a rule impossible, by the column to mend. Lines may complete defaults."""
    floor, ceiling = said.get("floor"), said.get("ceiling")
    if floor and ceiling and ceiling < floor:
        yield "ceiling", _below(ceiling, floor)
    if said.get("strategy") == "follow" and "follow" not in said and not is_default:
        yield "follow", _NOBODY


def _below(ceiling: int, floor: int) -> Said:
    low, high = spaced(floor), spaced(ceiling)
    return Said(
        f"leaves no price: the ceiling {high} is below the floor {low}; right: {low} or more, or a "
        "lower floor",
        f"не оставляет цены: максимум {high} ниже минимума {low}; нужно: от {low}, или минимум "
        "ниже",
    )


def _oddities(
    said: Mapping[str, Any], wish: Wish, tariffs: Tariffs
) -> Iterator[tuple[str | None, Said]]:
    """What is allowed, and seldom meant."""
    if said.get("on") is False:
        return
    try:
        refusal = prepare(read_rule(msgspec.json.encode(said)), tariffs, None).refusal
    except BadSituation as error:
        yield None, Said(str(error), f"этим правилом нельзя пользоваться: {error}")
        return
    if refusal is Reason.NO_FLOOR_NO_COST:
        yield None, _NOTHING
    elif refusal is Reason.NO_ALLOWED_PRICE:
        yield None, _NO_PRICE
    yield from _zeros(said, wish)
    yield from _tiny(wish)
    yield from _open_guards(wish)
    if _needs_a_weight(said):
        yield None, _NO_WEIGHT
    for key, needed in _IDLE.items():
        if key in wish.rule.said and wish.rule.said[key] and needed not in said:
            yield key, _without(needed)


def _open_guards(wish: Wish) -> Iterator[tuple[str, Said]]:
    """Guards that let everything pass: 3000 in a cell of percents is 3000 %."""
    for key, most in _GUARDS.items():
        if key in wish.line.cells and (wish.rule.said.get(key) or 0) > most:
            yield key, _OPEN


def _needs_a_weight(said: Mapping[str, Any]) -> bool:
    """Whether delivery is counted at prices from which on it depends on a weight nobody said."""
    if said.get("weight_kg") is not None or said.get("delivery_fee") is not None:
        return False
    dearest = max(said.get(key) or 0 for key in ("cost", "floor", "ceiling"))
    return said.get("cost") is not None and dearest >= _WEIGHED_FROM


def _oddities_of_defaults(said: Mapping[str, Any], wish: Wish) -> Iterator[tuple[str | None, Said]]:
    """What a listing without a row of its own would make of the store's defaults."""
    if said.get("strategy") == "follow" and "follow" not in said:
        yield "follow", _NOBODY
    yield from _tiny(wish)
    yield from _open_guards(wish)


def _zeros(said: Mapping[str, Any], wish: Wish) -> Iterator[tuple[str, Said]]:
    """Prices that are ten times what they should be measured by."""
    floor, cost, ceiling = said.get("floor") or 0, said.get("cost") or 0, said.get("ceiling") or 0
    if "floor" in wish.line.cells and cost and floor >= _ZERO_TOO_MANY * cost:
        yield "floor", _times("cost", cost)
    measure, name = (floor, "floor") if floor >= cost else (cost, "cost")
    if "ceiling" in wish.line.cells and measure and ceiling >= _ZERO_TOO_MANY * measure:
        yield "ceiling", _times(name, measure)


def _tiny(wish: Wish) -> Iterator[tuple[str, Said]]:
    """A bare 12 where 12 % was meant: it is 0.12 %."""
    for key in _USUALLY_PERCENTS & wish.line.cells.keys():
        value, raw = wish.rule.said.get(key) or 0, wish.line.cells[key]
        if 0 < value < _PERCENT and not isinstance(raw, Percent) and "%" not in shown(raw):
            share = shown(Percent(Decimal(value) / WHOLE))
            yield (
                key,
                Said(
                    f"basis points are {share}: write {value} % if that is meant",
                    f"базисных пунктов — это {share}: если нужны проценты, напишите {value} %",
                ),
            )


def _times(key: str, amount: int) -> Said:
    column, told = RULES.by_key[key], spaced(amount)
    return Said(
        f"is ten times the {key} of {told} and more: is there a zero too many?",
        f"— в десять раз больше, чем «{column.title(Language.RUSSIAN)}» ({told}): нет ли "
        "лишнего нуля?",
    )


def _without(needed: str) -> Said:
    column = RULES.by_key[needed]
    return Said(
        f"has no effect without {needed}",
        f"не действует без «{column.title(Language.RUSSIAN)}»",
    )
