"""A report on publishing in words and numbers, and which step of the ladder comes next."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import attrs

from domain.budget import Budget, at_best, is_strikingly_low
from domain.identity import MerchantId
from kaspi_crawler.feed.deliveries import Delivery
from kaspi_crawler.outbox_words import OUTCOMES, hour, said, span
from kaspi_crawler.said import Language, Said, number
from storage.ladder import Report

_WORDS: Mapping[str, Said] = {
    "mode": Said("Prices leave by", "Цены отправляются через"),
    "off": Said("nothing: a dry run (PUBLISH=off)", "ничего: пробный режим (PUBLISH=off)"),
    "feed": Said("the price feed", "прайс-лист"),
    "cabinet": Said("the cabinet", "кабинет"),
    "both": Said("the cabinet and the price feed", "кабинет и прайс-лист"),
    "listings": Said("Articles with a rule", "Артикулов с правилом"),
    "chosen": Said("within the share of {share} %", "входят в долю {share} %"),
    "paused": Said("paused", "на паузе"),
    "resume": Said(
        "`scrapy publish paused {store}`, then `scrapy shop resume {store} ARTICLE…`",
        "`scrapy publish paused {store}`, затем `scrapy shop resume {store} АРТИКУЛ…`",
    ),
    "would": Said("Would be sent now", "Было бы отправлено сейчас"),
    "waiting": Said("Wait to be sent", "Ждут отправки"),
    "feeding": Said("Wait for the feed", "Ждут прайс-листа"),
    "outside": Said("wait outside the share", "ждут вне доли"),
    "sending": Said("Sent, no answer yet", "Отправлены, ответа пока нет"),
    "accepted": Said("Accepted, not yet seen", "Приняты, ещё не видны"),
    "applied": Said("Applied", "Применены"),
    "latency": Said("seen after", "видны через"),
    "half": Said("half of them", "половина"),
    "unsent": Said(
        "Live without a push, as by the feed",
        "Видны без отправки через кабинет, как от прайс-листа",
    ),
    "written": Said(
        "Feed: version {version} of {at}, {taken}",
        "Прайс-лист: версия {version} от {at}, {taken}",
    ),
    "taken": Said("taken {at} by {by}", "забрана {at}: {by}"),
    "not_taken": Said("which nobody has taken yet", "её ещё никто не забрал"),
    "no_feed": Said("Feed: none was written yet", "Прайс-лист: ещё не записан"),
    "refused": Said("Refused", "Отклонены"),
    "unverified": Said("Not verified", "Не подтверждены"),
    "budget": Said("Budget", "Лимит изменений"),
    "left": Said(
        "{left} of {limit} changes left in {window}",
        "осталось {left} из {limit} изменений на {window}",
    ),
    "blocked": Said("nothing leaves for {wait}", "отправки нет ещё {wait}"),
    "pushes": Said("{pushes} pushes, {blocks} blocked", "{pushes} запросов, отказов {blocks}"),
    "low": Said(
        "Strikingly few changes or pushes: at most {few} in {window}. Did others change prices, and"
        " no more? `scrapy publish reset {store}`",
        "Очень мало изменений или запросов: не больше {few} за {window}. Цены меняли и другие, а"
        " теперь нет? `scrapy publish reset {store}`",
    ),
    "learned": Said(
        "Learned by store {store}: {limit} changes in {window}, a push in {gap} s; blocks {blocks}",
        "Усвоено магазином {store}: {limit} изменений за {window}, раз в {gap} с; отказов {blocks}",
    ),
    "forgotten": Said(
        "Forgotten. The next crawl begins with PUBLISH_CHANGES ({begins} here), and learns anew",
        "Забыто. Следующий обход начнёт с PUBLISH_CHANGES (здесь {begins}) и научится заново",
    ),
    "still_blocked": Said(
        "The block lasts all the same: nothing leaves for {wait}",
        "Блокировка остаётся: отправки нет ещё {wait}",
    ),
    "nothing_learned": Said(
        "Store {store} has learned nothing yet: it begins with PUBLISH_CHANGES ({begins} here)",
        "Магазин {store} ещё ничего не усвоил: начнёт с PUBLISH_CHANGES (здесь {begins})",
    ),
    "next": Said("Next", "Дальше"),
    "next_off": Said(
        "see `scrapy why {store}`, then the official way: PUBLISH=feed scrapy feed write {store}",
        "см. `scrapy why {store}`, затем официально: PUBLISH=feed scrapy feed write {store}",
    ),
    "next_write": Said(
        "write the feed: scrapy feed write {store}",
        "запишите прайс-лист: scrapy feed write {store}",
    ),
    "next_serve": Said(
        "hand it out, `scrapy feed serve`, and give Kaspi its address: docs/publishing-feed.md",
        "раздайте его, `scrapy feed serve`, и дайте Kaspi адрес: docs/publishing-feed.md",
    ),
    "next_fed": Said(
        "nothing: Kaspi takes the feed as it is written anew",
        "ничего: Kaspi забирает каждый новый прайс-лист",
    ),
    "next_none": Said(
        "nothing was sent yet: run `scrapy crawl publish`, then look here again",
        "ещё ничего не отправлено: запустите `scrapy crawl publish` и посмотрите снова",
    ),
    "next_shut": Said(
        "the cabinet is signed out, and no price leaves: `scrapy shop login {store}`",
        "вход в кабинет не выполнен, цены не уходят: `scrapy shop login {store}`",
    ),
    "next_share": Said(
        "no article whose price waits is within the share of {share} %: PUBLISH_SHARE={more}",
        "нет артикулов с новой ценой в доле {share} %: PUBLISH_SHARE={more}",
    ),
    "next_wait": Said(
        "wait until the {under_way} that were sent are read back (ten minutes and more, while "
        "`scrapy crawl publish` or another crawl runs), then look here again",
        "подождите, пока отправленные ({under_way}) не появятся (от десяти минут, пока идёт "
        "`scrapy crawl publish` или другой обход), и посмотрите снова",
    ),
    "next_few": Said(
        "stay at {share} %: of {ended} prices it is known what became of them, 20 are wanted",
        "оставайтесь на {share} %: итог известен по {ended} ценам, нужно 20",
    ),
    "next_bad": Said(
        "stay at {share} %: {bad} of {ended} prices could not be verified; see why below",
        "оставайтесь на {share} %: не подтверждено {bad} из {ended}; причины ниже",
    ),
    "next_more": Said(
        "all is well at {share} %: PUBLISH_SHARE={more}",
        "на {share} % всё в порядке: PUBLISH_SHARE={more}",
    ),
    "next_all": Said("all is well, for all articles", "всё в порядке, для всех артикулов"),
}
#: Steps of the canary, in per cent; and what is asked before the next one.
STEPS = (5, 25, 100)
ENOUGH, MOST_UNVERIFIED_PERCENT = 20, 2


@attrs.frozen(kw_only=True)
class Terms:
    """How prices get out, and what became of the store's feeds.

    `publish` and `share` (per cent) are the settings PUBLISH and PUBLISH_SHARE; `start` is the
    budget with which a store begins; `feeds` are the versions of the feed, the newest first.
    `is_signed_out`: the store's cabinet is shut to us.
    """

    publish: str
    share: int
    start: Budget
    feeds: Sequence[Delivery]
    is_signed_out: bool

    @property
    def by_feed(self) -> bool:
        """Whether the feed carries prices."""
        return self.publish in {"feed", "both"}

    @property
    def by_cabinet(self) -> bool:
        """Whether the cabinet does."""
        return self.publish in {"cabinet", "both"}


def in_words(report: Report, store: MerchantId, terms: Terms, language: Language) -> Iterator[str]:
    """The lines of a report on a store."""
    share = terms.share

    def word(key: str, **numbers: object) -> str:
        return said(_WORDS, key, language).format(**numbers)

    def many(count: int) -> str:
        return number(count, language)

    yield f"{word('mode')}: {word(terms.publish)}"
    yield (
        f"{word('listings')}: {many(report.listings)}; {word('chosen', share=share)}: "
        f"{many(report.chosen)}; {word('paused')}: {many(report.paused)}"
        + (f" ({word('resume', store=store)})" if report.paused else "")
    )
    first = "waiting" if terms.by_cabinet else "feeding" if terms.by_feed else "would"
    yield f"{word(first)}: {many(report.waiting)}; {word('outside')}: {many(report.outside)}"
    for state in ("sending", "accepted", "applied"):
        yield f"{word(state)}: {many(report.counts.get(state, 0))}{_took(report, state, language)}"
    yield f"{word('unsent')}: {many(report.unsent)}"
    for state, outcomes in (("refused", report.refused), ("unverified", report.unverified)):
        told = "; ".join(
            f"{said(OUTCOMES, one, language)} {many(count)}" for one, count in outcomes.items()
        )
        yield f"{word(state)}: {many(sum(outcomes.values()))}{told and f' ({told})'}"
    if terms.by_feed or terms.feeds:
        yield from _feed(terms.feeds, language)
    yield from _budget(report, language)
    if report.spending and is_strikingly_low(report.spending.budget, terms.start):
        known = report.spending.budget
        yield word("low", store=store, few=at_best(known), window=span(known.window, language))
    key, numbers = next_step(report, terms)
    yield f"{word('next')}: {word(key, store=store, **numbers)}"


def unlearned(
    store: MerchantId, learned: Budget | None, rests: timedelta, begins: int, language: Language
) -> Iterator[str]:
    """What a store had learned of its limits and has forgotten; `rests`: how long a block lasts."""

    def word(key: str, **numbers: object) -> str:
        return said(_WORDS, key, language).format(store=store, begins=begins, **numbers)

    if learned is None:
        yield word("nothing_learned")
        return
    told = {"window": span(learned.window, language), "gap": f"{learned.gap.total_seconds():g}"}
    yield word("learned", limit=learned.limit, blocks=learned.blocks, **told)
    yield word("forgotten")
    if rests > timedelta(0):
        yield word("still_blocked", wait=span(rests, language))


def next_step(report: Report, terms: Terms) -> tuple[str, dict[str, int]]:
    """Which step comes next, and the numbers that say so."""
    if not terms.by_cabinet:
        return _next_of_feed(terms), {}
    share = terms.share
    bad, ended = report.counts.get("unverified", 0), report.ended
    numbers = {"share": share, "ended": ended, "bad": bad}
    if terms.is_signed_out:
        return "next_shut", {}
    if not ended:
        return _next_of_none(report, share)
    if ended < ENOUGH:
        return "next_few", numbers
    if bad * 100 > ended * MOST_UNVERIFIED_PERCENT:
        return "next_bad", numbers
    more = _more_than(share)
    return ("next_all", numbers) if more is None else ("next_more", {**numbers, "more": more})


def _next_of_none(report: Report, share: int) -> tuple[str, dict[str, int]]:
    """Where nothing that was sent has an outcome yet."""
    if under_way := report.counts.get("sending", 0) + report.counts.get("accepted", 0):
        return "next_wait", {"under_way": under_way}
    more = _more_than(share)
    is_empty = not report.waiting and (report.outside or (report.listings and not report.chosen))
    if is_empty and more is not None:
        return "next_share", {"share": share, "more": more}
    return "next_none", {}


def _more_than(share: int) -> int | None:
    """The next step of the canary."""
    return next((step for step in STEPS if step > share), None)


def _next_of_feed(terms: Terms) -> str:
    if not terms.by_feed:
        return "next_off"
    if not terms.feeds:
        return "next_write"
    return "next_fed" if any(each.taken for each in terms.feeds) else "next_serve"


def _feed(feeds: Sequence[Delivery], language: Language) -> Iterator[str]:
    """The newest version, and before it the newest that was taken."""
    if not feeds:
        yield said(_WORDS, "no_feed", language)
    taken = next((each for each in feeds if each.taken), None)
    for each in dict.fromkeys(filter(None, (taken, *feeds[:1]))):
        pull = each.taken
        fate = said(_WORDS, "taken" if pull else "not_taken", language)
        if pull:
            fate = fate.format(at=hour(pull.at), by=pull.agent or pull.source)
        written = said(_WORDS, "written", language)
        yield written.format(version=each.version, at=hour(each.written_at), taken=fate)


def _took(report: Report, state: str, language: Language) -> str:
    if state != "applied" or report.latency is None:
        return ""
    half, most, nearly_all = (span(took, language) for took in report.latency)
    seen, first = said(_WORDS, "latency", language), said(_WORDS, "half", language)
    return f" ({seen}: {first} {half}, 95 % {most}, 99 % {nearly_all})"


def _budget(report: Report, language: Language) -> Iterator[str]:
    spending = report.spending
    if spending is None:
        return
    window = span(spending.budget.window, language)
    told = [
        said(_WORDS, "left", language).format(
            left=spending.left, limit=spending.budget.limit, window=window
        ),
        said(_WORDS, "pushes", language).format(pushes=spending.pushes, blocks=spending.blocks),
    ]
    if spending.wait:
        told.append(said(_WORDS, "blocked", language).format(wait=span(spending.wait, language)))
    yield f"{said(_WORDS, 'budget', language)}: {'; '.join(told)}"
