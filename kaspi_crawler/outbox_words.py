"""What becomes of a price on its way out, in words: states and outcomes, in English and Russian."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from domain.moments import ALMATY
from kaspi_crawler.feed.deliveries import Delivery
from kaspi_crawler.feed.pulls import Pull
from kaspi_crawler.said import Language, Said
from repricer.explain import money
from storage.stories import Intended

#: Each state of an intention.
STATES: Mapping[str, Said] = {
    "pending": Said(
        "waits: PUBLISH=feed lets the next feed carry it, cabinet the cabinet, both either",
        "ждёт: PUBLISH=feed отправит её прайс-листом, cabinet через кабинет, both любым путём",
    ),
    "sending": Said("sent, no answer yet", "отправлена, ответа пока нет"),
    "accepted": Said(
        "accepted by the marketplace, not yet seen", "принята площадкой, ещё не видна"
    ),
    "applied": Said("applied: seen with this price", "применена: цена видна"),
    "unverified": Said("not verified", "не подтверждена"),
    "refused": Said("refused", "отклонена"),
    "superseded": Said("superseded by a newer decision", "заменено более новым решением"),
    "withdrawn": Said(
        "withdrawn: decided otherwise, or the rule changed",
        "отозвано: решено иначе, или правило изменилось",
    ),
}
#: Why it ended so.
OUTCOMES: Mapping[str, Said] = {
    "not_in_cabinet": Said("the cabinet does not know the article", "артикула нет в кабинете"),
    "removed": Said("the goods are off sale", "товар снят с продажи"),
    "sold_out": Said("no point has the goods", "товара нет ни в одной точке"),
    "paused": Said("the article is paused", "артикул на паузе"),
    "rule_changed": Said("the rule was changed", "правило изменилось"),
    "below_least": Said("below what a rule allows", "ниже допустимого правилом"),
    "endangered": Said(
        "in another city the price is forbidden, and a push would say it again",
        "в другом городе цена недопустима, а отправка повторила бы её",
    ),
    "changed_before": Said(
        "our price was changed before it was sent",
        "нашу цену изменили до отправки",
    ),
    "not_sent": Said("it did not leave", "не отправлена"),
    "blocked": Said("too many changes (429)", "слишком много изменений (429)"),
    "session_gone": Said("signed out", "сессия кабинета закончилась"),
    "forbidden": Said("the account may not", "у учётной записи нет прав"),
    "rejected": Said("the cabinet rejected it", "кабинет отклонил запрос"),
    "no_answer": Said("the answer was lost", "ответ потерян"),
    "already_there": Said("it held already", "цена уже стояла"),
    "not_applied": Said("the old price is still there", "по-прежнему старая цена"),
    "not_read": Said("nobody could read it back", "не удалось прочитать цену обратно"),
    "changed_outside": Said("somebody set another price", "кто-то поставил другую цену"),
    "not_offered": Said("our offer is not on the board", "нашего предложения нет на витрине"),
    "vanished": Said("the goods went off sale after it", "после отправки товар снят с продажи"),
}
_REASONS: Mapping[str, Said] = {
    "undo": Said("a former price, wanted back", "возврат прежней цены"),
    "baseline": Said("the price before us, wanted back", "возврат исходной цены"),
}
_STEPS: Mapping[str, Said] = {
    "sent": Said("sent", "отправлена"),
    "accepted": Said("accepted", "принята"),
    "after": Said("after", "через"),
    "receipt": Said("receipt", "номер"),
    "version": Said("in version {version} of the feed", "в версии {version} прайс-листа"),
    "taken": Said("taken", "забрана"),
    "unnamed": Said("whether it was Kaspi is not known", "Kaspi ли это, неизвестно"),
    "waits": Said("waits to be taken by Kaspi", "ждёт, когда Kaspi заберёт прайс-лист"),
    "unseen": Said(
        "waits to be seen: on the board, or in the cabinet's list",
        "ждёт, когда её увидят: на витрине или в списке кабинета",
    ),
    "not_taken": Said("which nobody has taken yet", "её ещё никто не забрал"),
}

_MINUTES, _SECONDS = Said("min", "мин"), Said("s", "с")


def said(words: Mapping[str, Said], key: str, language: Language) -> str:
    """A word of one of the tables; what has none is told as it is."""
    found = words.get(key)
    return key if found is None else found.in_(language)


def journey(intended: Intended, language: Language, feed: Delivery | None = None) -> str:
    """The way of one price: made, sent or in a feed, accepted or taken, and how it ended."""
    return " → ".join(_stations(intended, language, feed))


def _stations(intended: Intended, language: Language, feed: Delivery | None) -> Iterator[str]:
    reason = said(_REASONS, intended.reason, language)
    why = "" if intended.reason == "decision" else f" ({reason})"
    yield f"{hour(intended.made_at)} {money(intended.price)}{why}"
    if intended.sent_at:
        yield f"{said(_STEPS, 'sent', language)} {hour(intended.sent_at)}"
    if intended.accepted_at:
        number = said(_STEPS, "receipt", language)
        told = f" ({number} {intended.receipt})" if intended.receipt else ""
        yield f"{said(_STEPS, 'accepted', language)} {hour(intended.accepted_at)}{told}"
    if feed:
        yield from _by_feed(feed, language)
    yield _ending(intended, language, feed)


def _by_feed(feed: Delivery, language: Language) -> Iterator[str]:
    version = said(_STEPS, "version", language).format(version=feed.version)
    yield f"{version} {hour(feed.written_at)}"
    if feed.taken is None:
        yield said(_STEPS, "not_taken", language)
    else:
        taken = said(_STEPS, "taken", language)
        yield f"{taken} {hour(feed.taken.at)} ({_taker(feed.taken, language)})"


def _taker(pull: Pull, language: Language) -> str:
    by = f"{pull.source}, {pull.agent}" if pull.agent else pull.source
    return by if pull.is_named_kaspi else f"{by}; {said(_STEPS, 'unnamed', language)}"


def _state(intended: Intended, language: Language, feed: Delivery | None) -> str:
    """What a price in a feed waits for is not the feed any more."""
    if intended.state == "pending" and feed:
        return said(_STEPS, "unseen" if feed.taken else "waits", language)
    return said(STATES, intended.state, language)


def _ending(intended: Intended, language: Language, feed: Delivery | None) -> str:
    told = _state(intended, language, feed)
    if intended.outcome and not feed:
        told += f": {said(OUTCOMES, intended.outcome, language)}"
    if intended.closed_at:
        told += f" ({hour(intended.closed_at)}"
        taken_at = feed.taken.at if feed and feed.taken else None
        began = intended.accepted_at or intended.sent_at or taken_at
        if intended.state == "applied" and began:
            after = said(_STEPS, "after", language)
            told += f", {after} {span(intended.closed_at - began, language)}"
        told += ")"
    return told


def span(much: timedelta, language: Language) -> str:
    """A span in the unit that people would choose: 9 min, 40 s."""
    seconds = max(0, round(much.total_seconds()))
    if seconds < 120:
        return f"{seconds} {_SECONDS.in_(language)}"
    return f"{seconds // 60} {_MINUTES.in_(language)}"


def hour(moment: datetime) -> str:
    """A moment in Almaty."""
    return f"{moment.astimezone(ALMATY):%Y-%m-%d %H:%M:%S}"
