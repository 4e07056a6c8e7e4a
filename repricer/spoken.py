"""Situations and decisions as JSON, as `scrapy decide` speaks: docs/strategies.md has the keys.

A key that is absent, or null, has its default. A key that we do not know is an error, for the
engine would not do what it asks.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from difflib import get_close_matches
from enum import StrEnum
from itertools import starmap
from typing import Annotated, Any, TypeVar

import msgspec
import msgspec.inspect
from msgspec import Meta, Struct

from domain.identity import CityId, MerchantId
from domain.moments import almaty_date
from domain.money import DEAREST, Tenge
from domain.pricing import (
    WHOLE,
    CompareDelivery,
    Decision,
    Doing,
    MarketOffer,
    Reason,
    Rule,
    Situation,
    Strategy,
    WhenAlone,
    WhenFollowed,
    WhenTied,
    WhenUnbeatable,
    Window,
)
from repricer.allowed import Plan, prepare
from repricer.decision import decide
from repricer.explain import english, russian
from repricer.tariffs import Tariffs, packaged

_Price = Annotated[int, Meta(ge=1, le=int(DEAREST))] | None
_Amount = Annotated[int, Meta(ge=0, le=int(DEAREST))] | None
_Any = Annotated[int, Meta(ge=-int(DEAREST), le=int(DEAREST))] | None
_Points = Annotated[int, Meta(ge=0, le=WHOLE)] | None
_Many = Annotated[int, Meta(ge=0, le=1_000_000)] | None
_Count = Annotated[int, Meta(ge=1, le=1_000)] | None
_Power = Annotated[int, Meta(ge=0, le=10)] | None
_Days = Annotated[int, Meta(ge=-10_000, le=10_000)] | None
_Moment = Annotated[datetime, Meta(tz=True)] | None
_Name = str | int
_Word = str | bool | None

#: What would be right, for the sentence about a value that is not.
_RIGHT = {
    "price": f"a whole number of tenge, 1 to {DEAREST}",
    "amount": f"a whole number of tenge, 0 to {DEAREST}",
    "any": "a whole number of tenge",
    "points": "basis points, a whole number from 0 to 10000 (3000 is 30 %)",
    "many": "a whole number from 0 to 1000000",
    "count": "a whole number from 1 to 1000",
    "power": "a whole number from 0 to 10",
    "reason": "a reason as answers give it: profit",
    "days": "a whole number of days",
    "moment": 'a moment with its zone: "2026-11-26T09:00:00+05:00"',
    "name": "a text",
    "names": "a list of merchants' ids",
    "switch": "true or false",
    "decimal": "a number, 0 or more: 0.5",
    "rating": "a rating from 0 to 5",
    "windows": "a list of windows",
    "shares": "a list of basis points, the first place's first",
}
_RIGHT_IN_RUSSIAN = {
    "price": f"целое число тенге, от 1 до {DEAREST}",
    "amount": f"целое число тенге, от 0 до {DEAREST}",
    "any": "целое число тенге",
    "points": "базисные пункты, целое число от 0 до 10000 (3000 — это 30 %)",
    "many": "целое число от 0 до 1000000",
    "power": "целое число от 0 до 10",
    "count": "целое число от 1 до 1000",
    "name": "текст",
    "names": "список id продавцов",
    "switch": "да или нет",
    "decimal": "число, 0 или больше: 0.5",
    "rating": "рейтинг от 0 до 5",
    "windows": "список окон",
    "shares": "список базисных пунктов, начиная с первого места",
}
_KINDS = {
    "id sku city store category zone follow offers[].merchant": "name",
    "current remembered median": "price",
    "moved_today packaging margin premium min_gain": "amount",
    "faster_premium aged_margin delivery_fee": "amount",
    "offset offers[].price offers[].price_minus_bonus floor": "any",
    "cost ceiling step": "price",
    "margin_bp step_bp commission_bp payment_bp tax_bp shadow_bp aged_margin_bp": "points",
    "stock_low_raise_bp shares_bp[] absurd_low_bp absurd_ceiling_bp": "points",
    "absurd_high_bp max_change_bp max_change_day_bp anomaly_bp": "many",
    "stock stock_age_days stock_low aged_days min_reviews cooldown_minutes": "many",
    "offers[].reviews faster_by_days patience_minutes": "many",
    "elasticity": "power",
    "changed_for": "reason",
    "position": "count",
    "delivery_days offers[].delivery_days offers[].preorder_days": "days",
    "now changed_at": "moment",
    "sisters ignore only": "names",
    "on offered skip_preorder use_bonus idle_cuts": "switch",
    "weight_kg": "decimal",
    "min_rating offers[].rating": "rating",
    "offers": "a list of offers",
    "offers[]": 'an offer: {"merchant": "A", "price": 9500}',
    "rule": "an object with the rule's keys",
    "cities": "an object: city id to the rule's keys that differ there",
    "windows": "windows",
    "windows[]": 'a window: {"from": "22:00", "to": "07:00", "do": "hold"}',
    "windows[].from windows[].to": 'an hour in Almaty time: "22:30"',
    "windows[].do": "one of work, hold, ceiling, reset",
    "windows[].days": "weekdays as numbers, Monday is 1: [1, 2, 3, 4, 5]",
    "shares_bp": "shares",
}
_EXPECTED = {
    name: _RIGHT.get(kind, kind) for names, kind in _KINDS.items() for name in names.split()
}
_ALIASES = {
    "lowest_allowed": "lowest",
    "floor": "lowest",
    "ignore": "any",
    "none": "any",
    "false": "any",
    "true": "same_or_faster",
    "town": "city",
    "nationwide": "country",
}

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class BadSituation(ValueError):
    """A situation that cannot be used; the text names the key, its value, what would be right."""


class _Offer(Struct, forbid_unknown_fields=True):
    merchant: _Name
    price: int
    price_minus_bonus: _Any = None
    delivery_days: _Days = None
    rating: Decimal | None = None
    reviews: _Many = None
    preorder_days: _Days = None


class _Window(Struct, forbid_unknown_fields=True, rename={"begins": "from", "ends": "to"}):
    begins: str
    ends: str
    do: str
    days: tuple[Annotated[int, Meta(ge=1, le=7)], ...] | None = None


class _Rule(Struct, forbid_unknown_fields=True, omit_defaults=True):
    on: bool | None = None
    strategy: _Word = None
    step: _Price = None
    step_bp: _Points = None
    position: _Count = None
    follow: _Name | None = None
    offset: _Any = None
    premium: _Amount = None
    shares_bp: (
        Annotated[tuple[Annotated[int, Meta(ge=0, le=WHOLE)], ...], Meta(min_length=1)] | None
    ) = None
    elasticity: _Power = None
    when_alone: _Word = None
    when_unbeatable: _Word = None
    when_tied: _Word = None
    when_followed: _Word = None
    floor: _Any = None
    ceiling: _Price = None
    cost: _Price = None
    packaging: _Amount = None
    margin: _Amount = None
    margin_bp: _Points = None
    category: str | None = None
    zone: str | None = None
    weight_kg: Decimal | None = None
    commission_bp: _Points = None
    payment_bp: _Points = None
    tax_bp: _Points = None
    delivery_fee: _Amount = None
    compare_delivery: _Word = None
    faster_by_days: _Many = None
    faster_premium: _Amount = None
    min_rating: Decimal | None = None
    min_reviews: _Many = None
    skip_preorder: bool | None = None
    use_bonus: bool | None = None
    ignore: tuple[_Name, ...] | None = None
    only: tuple[_Name, ...] | None = None
    absurd_low_bp: _Points = None
    absurd_ceiling_bp: _Points = None
    absurd_high_bp: _Many = None
    max_change_bp: _Many = None
    max_change_day_bp: _Many = None
    anomaly_bp: _Many = None
    cooldown_minutes: _Many = None
    patience_minutes: _Many = None
    min_gain: _Amount = None
    shadow_bp: _Points = None
    idle_cuts: bool | None = None
    stock_low: _Many = None
    stock_low_raise_bp: _Points = None
    aged_days: _Many = None
    aged_margin: _Amount = None
    aged_margin_bp: _Points = None
    windows: tuple[_Window, ...] | None = None
    cities: dict[str, "_Rule"] | None = None


class _Situation(Struct, forbid_unknown_fields=True):
    rule: _Rule | None = None
    id: _Name | None = None
    store: _Name | None = None
    sku: _Name | None = None
    city: _Name | None = None
    current: _Price = None
    remembered: _Price = None
    stock: _Many = None
    offered: bool | None = None
    stock_age_days: _Many = None
    delivery_days: _Days = None
    offers: tuple[_Offer, ...] | None = None
    sisters: tuple[_Name, ...] | None = None
    tariffs: str | None = None
    median: _Price = None
    moved_today: _Amount = None
    changed_at: _Moment = None
    changed_for: Reason | None = None
    now: _Moment = None


_decoder = msgspec.json.Decoder(_Situation)
_rule_decoder = msgspec.json.Decoder(_Rule)
_FIELDS = tuple(name for name in Rule.__struct_fields__ if name in _Rule.__struct_fields__)


def read(line: bytes) -> tuple[Situation, Rule]:
    """A situation and its rule, as they hold in its city, from one line. Raises BadSituation."""
    said = _decoded(_decoder, line)
    rule = said.rule or _Rule()
    if rule.cities and said.city is not None and str(said.city) in rule.cities:
        rule = _laid_over(rule, rule.cities[str(said.city)])
    made = _rule(rule, said)
    if made.windows and said.now is None:
        raise BadSituation(f"now: missing; rule.windows need {_RIGHT['moment']}")
    return _situation(said), made


def read_rule(said: bytes) -> Rule:
    """A rule that stands alone, for one listing in one city, from its JSON. Raises BadSituation."""
    rule = _decoded(_rule_decoder, said)
    if rule.cities is not None:
        raise BadSituation("rule.cities: not in a rule for one city; right: a rule a city")
    return _rule(rule, _Situation())


def plan_of(situation: Situation, rule: Rule, tariffs: Tariffs) -> Plan:
    """The rule made ready for this situation: its day, and how long the goods have lain."""
    day = None if situation.now is None else almaty_date(situation.now)
    return prepare(rule.at_age(situation.stock_age_days), tariffs, day)


def answers(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """A line of JSON for each line that is not empty, and whether it is a decision.

    The others say what is wrong: {"id", "line", "error"}.
    """
    tariffs = packaged()
    for number, read_line in enumerate(lines, start=1):
        # Windows puts its mark before the first line of a text.
        line = read_line.removeprefix(BOM_UTF8) if number == 1 else read_line
        if not line.strip():
            continue
        try:
            said, good = answer(line, tariffs), True
        except BadSituation as error:
            said, good = {"id": _id_of(line), "line": number, "error": str(error)}, False
        yield msgspec.json.encode(said) + b"\n", good


def answer(line: bytes, tariffs: Tariffs) -> dict[str, Any]:
    """The decision on one line, in the words of JSON. Raises BadSituation."""
    situation, rule = read(line)
    return spoken(decide(situation, plan_of(situation, rule, tariffs)))


def spoken(decision: Decision) -> dict[str, Any]:
    """A decision in the words of JSON, with its sentences."""
    rival = decision.rival
    return {
        "id": decision.id,
        "action": decision.action,
        "price": decision.price,
        "reason": decision.reason,
        "rival": None if rival is None else rival.merchant,
        "profit": decision.profit,
        "profit_before": decision.profit_before,
        "allowed": decision.pairs,
        "constraints": decision.constraints,
        "en": english(decision),
        "ru": russian(decision),
        "before": decision.before,
        "wish": decision.wish,
        "place": decision.place,
        "place_before": decision.place_before,
        "considered": [
            {"merchant": rival.merchant, "price": rival.price} for rival in decision.rivals
        ],
        "dropped": [
            {"merchant": offer.merchant, "price": offer.price, "why": why}
            for offer, why in decision.dropped
        ],
    }


def _decoded(decoder: "msgspec.json.Decoder[T]", line: bytes) -> T:
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as error:
        within = "rule" if decoder is _rule_decoder else ""
        raise BadSituation(_sentence(str(error), line, within)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        right = "one whole object on one line, in UTF-8"
        raise BadSituation(f"this line is not JSON ({error}); right: {right}") from None


def _id_of(line: bytes) -> str | int | None:
    """The id of a line that cannot be used otherwise, when it has one."""
    try:
        said = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = said.get("id") if isinstance(said, dict) else None
    return found if isinstance(found, str | int) else None


def _laid_over(rule: _Rule, city: _Rule) -> _Rule:
    """The rule with what the city says of its own."""
    own = {name: getattr(city, name) for name in city.__struct_fields__}
    return msgspec.structs.replace(rule, **{name: v for name, v in own.items() if v is not None})


def _situation(said: _Situation) -> Situation:
    return Situation(
        id=said.id,
        store=MerchantId(_text(said.store)),
        sku=_text(said.sku),
        city=None if said.city is None else CityId(str(said.city)),
        current=_tenge(said.current),
        remembered=_tenge(said.remembered),
        stock=said.stock,
        offered=said.offered is not False,
        stock_age_days=said.stock_age_days,
        delivery_days=said.delivery_days,
        offers=tuple(starmap(_offer, enumerate(said.offers or ()))),
        sisters=_names(said.sisters),
        median=_tenge(said.median),
        moved_today=said.moved_today or 0,
        changed_at=said.changed_at,
        changed_for=said.changed_for,
        now=said.now,
    )


def _offer(number: int, said: _Offer) -> MarketOffer:
    return MarketOffer(
        merchant=MerchantId(str(said.merchant)),
        price=said.price,
        price_minus_bonus=said.price_minus_bonus,
        delivery_days=said.delivery_days,
        rating=_hundredths(f"offers[{number}].rating", said.rating),
        reviews=said.reviews,
        preorder_days=said.preorder_days,
    )


def _rule(said: _Rule, situation: _Situation) -> Rule:
    given = {name: value for name in _FIELDS if (value := getattr(said, name)) is not None}
    given |= {
        name: _word(f"rule.{name}", value, kind)
        for name, kind in _WORDS.items()
        if (value := getattr(said, name)) is not None
    }
    if said.zone is not None:
        given["zone"] = _zone(said.zone)
    if said.weight_kg is not None:
        given["weight"] = _grams(said.weight_kg)
    if said.min_rating is not None:
        given["min_rating"] = _hundredths("rule.min_rating", said.min_rating)
    given["ignore"], given["only"] = _names(said.ignore), _names(said.only)
    given["windows"] = tuple(starmap(_window, enumerate(said.windows or ())))
    given["uses_tariffs"] = _uses_tariffs(said, situation)
    if said.follow is not None:
        given["follow"] = MerchantId(str(said.follow))
    if given.get("strategy") is Strategy.FOLLOW and "follow" not in given:
        raise BadSituation("rule.follow: missing; the strategy follow needs a merchant's id")
    return Rule(**given)


def _uses_tariffs(said: _Rule, situation: _Situation) -> bool:
    """Fees are counted where a cost is known, or else the goods are: by their zone or weight."""
    if situation.tariffs not in {None, "default", "none"}:
        tariffs = _shown(situation.tariffs)
        raise BadSituation(f'tariffs: {tariffs} is not known; right: "default" or "none"')
    known = said.cost is not None or said.zone is not None or said.weight_kg is not None
    return situation.tariffs != "none" and known


_WORDS: Mapping[str, type[StrEnum]] = {
    "strategy": Strategy,
    "when_alone": WhenAlone,
    "when_unbeatable": WhenUnbeatable,
    "when_tied": WhenTied,
    "when_followed": WhenFollowed,
    "compare_delivery": CompareDelivery,
}


def _word(field: str, value: str | bool, kind: type[E]) -> E:
    with suppress(ValueError):
        return kind(str(value))
    plain = re.sub(r"[\s-]+", "_", str(value).strip().lower())
    for spelling in (plain, _ALIASES.get(plain, plain)):
        if spelling in set(kind):
            return kind(spelling)
    choices = ", ".join(kind)
    raise BadSituation(f"{field}: {_shown(value)} is not known; right: one of {choices}")


def _zone(value: str) -> str:
    plain = value.strip().lower()
    zone = _ALIASES.get(plain, plain)
    if zone not in ZONES:
        choices = ", ".join(ZONES)
        raise BadSituation(f"rule.zone: {_shown(value)} is not known; right: one of {choices}")
    return zone


#: Within one town, and between towns.
ZONES = ("city", "country")


class Key(Struct, frozen=True, kw_only=True):
    """A key of a rule, for whoever asks people for its value.

    `kind` says what the value is; `lowest` and `highest` are the limits of a whole number (of
    each, in a list); `words` are what may be chosen. `english` and `russian` say what is right.
    """

    name: str
    kind: str
    lowest: int | None
    highest: int | None
    words: tuple[str, ...]
    english: str
    russian: str


def _rule_keys() -> Iterator[Key]:
    told = msgspec.inspect.type_info(_Rule)
    assert isinstance(told, msgspec.inspect.StructType)  # noqa: S101  (for the checker of types)
    for field in told.fields:
        words = ZONES if field.name == "zone" else tuple(_WORDS.get(field.name, ()))
        if field.name == "cities":
            continue  # where rules stand alone, each city has its own
        kind = "word" if words else _kind_of(field.name)
        choices = ", ".join(words)
        lowest, highest = _limits(field.type)
        yield Key(
            name=field.name,
            kind=kind,
            lowest=lowest,
            highest=highest,
            words=words,
            english=_RIGHT.get(kind, f"one of {choices}"),
            russian=_RIGHT_IN_RUSSIAN.get(kind, f"одно из: {choices}"),
        )


def _kind_of(name: str) -> str:
    return next(kind for names, kind in _KINDS.items() if name in names.split())


def _limits(form: msgspec.inspect.Type) -> tuple[int | None, int | None]:
    """The limits of a whole number, or of each in a list."""
    if isinstance(form, msgspec.inspect.UnionType):
        form = form.types[0]
    if isinstance(form, msgspec.inspect.VarTupleType):
        form = form.item_type
    return (form.ge, form.le) if isinstance(form, msgspec.inspect.IntType) else (None, None)


#: The keys of a rule that stands alone, in the order of docs/strategies.md.
RULE_KEYS: Mapping[str, Key] = {key.name: key for key in _rule_keys()}


def _window(number: int, said: _Window) -> Window:
    here = f"rule.windows[{number}]"
    return Window(
        begins=_minutes(f"{here}.from", said.begins),
        ends=_minutes(f"{here}.to", said.ends),
        doing=_word(f"{here}.do", said.do, Doing),
        days=said.days or (1, 2, 3, 4, 5, 6, 7),
    )


def _minutes(field: str, text: str) -> int:
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d|24:00", text):
        right = _EXPECTED["windows[].from"]
        raise BadSituation(f"{field}: {_shown(text)} is not right; right: {right}")
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _grams(kilograms: Decimal) -> int:
    if not kilograms.is_finite() or not 0 <= kilograms <= 100_000:
        raise BadSituation(f"rule.weight_kg: {kilograms} is not right; right: {_RIGHT['decimal']}")
    return int((kilograms * 1000).to_integral_value(ROUND_CEILING))


def _hundredths(field: str, rating: Decimal | None) -> int | None:
    if rating is None:
        return None
    if not rating.is_finite() or not 0 <= rating <= 5:
        raise BadSituation(f"{field}: {rating} is not right; right: {_RIGHT['rating']}")
    return int((rating * 100).to_integral_value(ROUND_FLOOR))


def _names(said: tuple[_Name, ...] | None) -> frozenset[MerchantId]:
    return frozenset(MerchantId(str(name)) for name in said or ())


def _text(name: _Name | None) -> str:
    return "" if name is None else str(name)


def _tenge(amount: int | None) -> Tenge | None:
    return None if amount is None else Tenge(amount)


def _sentence(complaint: str, line: bytes, within: str) -> str:
    """A complaint of the decoder in words that name the key, the value and what would be right.

    `within` is where the line stands in a situation.
    """
    what, _, where = complaint.partition(" - at `")
    inner = _in_its_city(where.rstrip("`").removeprefix("$").removeprefix("."), line)
    path = ".".join(filter(None, (within, inner)))
    if found := re.match("Object contains unknown field `(.*)`", what):
        field, keys = ".".join(filter(None, (path, found[1]))), _keys(path)
        near = get_close_matches(found[1], keys, n=1) or keys
        return f"{field}: there is no such key; right: {', '.join(near)}"
    if found := re.match("Object missing required field `(.*)`", what):
        field = ".".join(filter(None, (path, found[1])))
        return f"{field}: missing; right: {_expected(field)}"
    if not path:
        return 'this line is no object; right: a situation, {"store": …, "rule": {…}, …}'
    value = _value(line, inner)
    return f"{path}: {value} is not right; right: {_expected(path)}"


def _in_its_city(path: str, line: bytes) -> str:
    """The path with the city whose rule is not right, for the decoder keeps its key to itself."""
    before, unnamed, after = path.partition("cities[...]")
    # The rest of the line may be beyond reading.
    with suppress(msgspec.DecodeError, RecursionError):
        cities = _at(msgspec.json.decode(line), f"{before}cities") if unnamed else {}
        wrong = next((city for city, rule in cities.items() if not _is_rule(rule)), None)
        return path if wrong is None else f"{before}cities.{wrong}{after}"
    return path


def _is_rule(said: Any) -> bool:
    try:
        msgspec.convert(said, _Rule)
    except msgspec.ValidationError:
        return False
    return True


def _expected(path: str) -> str:
    general = re.sub(r"\[(\d+|\.\.\.)?\]", "[]", path)
    general = re.sub(r"^rule\.(cities\.[^.]+\.)?", "", general) if general != "rule" else general
    return _EXPECTED.get(general) or _EXPECTED.get(
        general.removesuffix("[]"), "another kind of value"
    )


def _keys(path: str) -> tuple[str, ...]:
    if path.startswith("offers"):
        return _Offer.__struct_fields__
    if "windows" in path:
        return _Window.__struct_encode_fields__
    return _Rule.__struct_fields__ if path.startswith("rule") else _Situation.__struct_fields__


def _value(line: bytes, path: str) -> str:
    """What stands there, as it was written; the rest of the line may be beyond reading."""
    try:
        return "this value" if "[...]" in path else _shown(_at(msgspec.json.decode(line), path))
    except (msgspec.DecodeError, RecursionError):
        return "this value"


def _at(said: Any, path: str) -> Any:
    """What stands at a path of the decoder's: rule.floor, offers[3].price."""
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if number and isinstance(said, list):
            said = said[int(number)]
        elif isinstance(said, dict):
            said = said.get(name)
    return said


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
