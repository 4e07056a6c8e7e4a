"""Former prices are wanted back: through the same limits, and what is forbidden now is named."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from domain.identity import MerchantId
from domain.moments import almaty_date
from kaspi_crawler.outbox_words import hour, said
from kaspi_crawler.said import Language, Said, number
from repricer.allowed import prepare
from repricer.explain import money
from repricer.spoken import BadSituation, read_rule
from repricer.tariffs import packaged
from storage.restoring import Former, PutBack, put_back
from storage.stores import stores

_WORDS: dict[str, Said] = {
    "no_store": Said(
        "store {store} is unknown here, and nothing is changed: see `scrapy listings list`",
        "магазин {store} здесь неизвестен, ничего не изменено: см. `scrapy listings list`",
    ),
    "baseline": Said(
        "nothing was ever sent to the cabinet for them, so that no first prices are kept: nothing "
        "is changed. As buyers saw them at a moment: `scrapy undo {store} --to MOMENT`",
        "в кабинет для них ещё ничего не отправлено, первых цен нет: ничего не изменено. "
        "Какими их видели покупатели: `scrapy undo {store} --to МОМЕНТ`",
    ),
    "undo": Said(
        "nothing is known of such prices: nothing is changed",
        "о таких ценах ничего не известно: ничего не изменено",
    ),
    "left": Said("left as it is", "оставлена как есть"),
    "stands": Said("stands already", "уже стоит"),
    "no_rule": Said("no rule holds", "правила нет"),
    "forbidden": Said("the rule forbids it now", "правило её сейчас не допускает"),
    "bad_rule": Said("its rule cannot be used", "правило нельзя использовать"),
    "intended": Said("to be put back", "будет возвращено цен"),
    "already": Said("stand already", "уже стоят"),
    "kept": Said("left, since they are forbidden", "оставлено: недопустимы"),
    "paused": Said(
        "articles are paused: `scrapy shop resume STORE SKU` lets them be decided on again",
        "артикулов на паузе: `scrapy shop resume МАГАЗИН АРТИКУЛ` вернёт их в работу",
    ),
    "dry": Said(
        "PUBLISH={publish}: they wait until the cabinet or the feed carries them",
        "PUBLISH={publish}: они ждут, пока их не отправит кабинет или прайс-лист",
    ),
}


@attrs.frozen
class _Kept:
    """A price that is not put back, and why."""

    former: Former
    why: str


@attrs.frozen(kw_only=True)
class Wanted:
    """What is wanted back: former prices of a store, for the `reason` "undo" or "baseline"."""

    store: MerchantId
    former: Sequence[Former]
    reason: str


def restore(address: str, asked: Wanted, publish: str, language: Language) -> int:
    """Intend what is allowed, tell what is not. Exit code 1: there was nothing to put back."""
    former, reason = asked.former, asked.reason
    if not former:
        key = reason if stores(address, asked.store) else "no_store"
        sys.stderr.write(f"{said(_WORDS, key, language).format(store=asked.store)}\n")
        return 1
    judged = [_judged(one) for one in former]
    wanted = [one for one in judged if isinstance(one, PutBack)]
    kept = [one for one in judged if isinstance(one, _Kept)]
    for one in kept:
        if one.why != "stands":
            _tell_left(one, language)
    standing = [one.former for one in kept if one.why == "stands"]
    paused, stand = 0, len(standing)
    if wanted or standing:
        why = f"{reason}: former prices were put back at {hour(datetime.now(UTC))}"
        paused = put_back(address, wanted, standing, reason, why)
    _say(f"{number(len(wanted), language)} {said(_WORDS, 'intended', language)}")
    _say(f"{number(stand, language)} {said(_WORDS, 'already', language)}")
    _say(f"{number(len(kept) - stand, language)} {said(_WORDS, 'kept', language)}")
    if paused:
        _say(f"{number(paused, language)} {said(_WORDS, 'paused', language)}")
    if wanted and publish == "off":
        _say(said(_WORDS, "dry", language).format(publish=publish))
    return 0


def _judged(former: Former) -> PutBack | _Kept:
    if former.price == former.current and not former.moves:
        return _Kept(former, "stands")
    if former.said is None or former.least is None:
        return _Kept(former, "no_rule")
    today = almaty_date(datetime.now(UTC))
    age = None if former.stocked_on is None else (today - former.stocked_on).days
    try:
        rule = read_rule(former.said.encode()).at_age(age)
        allowed = prepare(rule, packaged(), today).allowed
    except BadSituation:
        return _Kept(former, "bad_rule")
    for lowest, highest in allowed.pairs:
        if lowest <= former.price <= highest and former.price >= former.least:
            return PutBack(former=former, lowest=lowest, highest=highest)
    return _Kept(former, "forbidden")


def _tell_left(one: _Kept, language: Language) -> None:
    former = one.former
    now = "?" if former.current is None else money(former.current)
    sys.stderr.write(
        f"{former.sku}\t{former.city}\t{now}: {said(_WORDS, 'left', language)}; "
        f"{money(former.price)}: {said(_WORDS, one.why, language)}\n"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
