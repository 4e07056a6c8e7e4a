"""Judges a crawl by its figures, its last runs and the thresholds: pure, at its end.

Each monitor has an entry in docs/operating.md, which a test keeps in step. It answers with alarms,
with none when all is well, or with None when it cannot judge: a small run says nothing of shares.
"""

from collections.abc import Callable, Iterable, Mapping
from statistics import median

import attrs

from domain.run import Alarm, Figures
from kaspi_crawler.health.coverage import WHOLE

#: Whose answer the fields of a reading come from.
SOURCES = {"offer": "offers", "card": "page", "reviews": "reviews"}


@attrs.frozen(kw_only=True)
class Thresholds:
    """The settings HEALTH_…, which docs/operating.md explains."""

    least_items: int
    expected_share: float
    coverage: Mapping[str, float]
    most_refused: float
    most_incomplete: float
    most_gone: float
    most_unread: float
    longest_seconds: float
    least_runs: int
    items_drop: float
    coverage_drop: float
    share_rise: float
    slower_times: float


@attrs.frozen(kw_only=True)
class Watched:
    """All that a crawl is judged by. Counters are by source, drifts are "source: kind key".

    `prices` counts what was decided on our own prices: "review", "unusable_rules", and "refused"
    by the database; and what became of those that were sent: "accepted", "unverified", "vanished",
    "stopped/blocked" and others. `shop` counts what became of our listings, `signed_out` says by
    store why its cabinet is shut.
    """

    reason: str
    figures: Figures
    past: tuple[Figures, ...]
    refused: Mapping[str, int]
    unread: Mapping[str, int]
    drifts: Mapping[str, int]
    looked_at: int
    errors: int
    thresholds: Thresholds
    prices: Mapping[str, int] = {}
    shop: Mapping[str, int] = {}
    signed_out: Mapping[str, str] = {}

    @property
    def is_small(self) -> bool:
        """Whether shares of this run mean nothing."""
        return self.figures.items < self.thresholds.least_items

    @property
    def comparable(self) -> tuple[Figures, ...]:
        """The last runs that were large enough; none when there are too few of them."""
        large = [one for one in self.past if one.items >= self.thresholds.least_items]
        return tuple(large) if len(large) >= self.thresholds.least_runs else ()


@attrs.frozen(kw_only=True)
class Verdict:
    """What is wrong, and which monitors could judge."""

    alarms: tuple[Alarm, ...]
    judged: frozenset[str]


Monitor = Callable[[Watched], list[Alarm] | None]


def judge(watched: Watched) -> Verdict:
    """Ask every monitor."""
    alarms: list[Alarm] = []
    judged = set()
    for name, monitor in MONITORS.items():
        raised = monitor(watched)
        if raised is not None:
            judged.add(name)
            alarms += raised
    return Verdict(alarms=tuple(alarms), judged=frozenset(judged))


#: What to do after each close reason, in both languages; the rest is in docs/operating.md.
REASONS = {
    "shutdown": (
        "Somebody stopped it: run it again, nothing is lost.",
        "Обход остановили: запустите его снова, ничего не потеряно.",
    ),
    "blocked": (
        "Wait half an hour, ask more slowly (KASPI_DELAY) or from another address.",
        "Подождите полчаса, увеличьте KASPI_DELAY или смените адрес.",
    ),
    "database_away": (
        "See `scrapy doctor`, then run it again: what was committed is kept.",
        "Выполните `scrapy doctor` и запустите снова: записанное сохранено.",
    ),
    "signed_out": (
        "`scrapy shop list` says why; `scrapy shop login STORE` signs in.",
        "Причину покажет `scrapy shop list`; вход: `scrapy shop login МАГАЗИН`.",
    ),
    "feed_refused": (
        "The last feed is still served: the log says why no new one was written, and what to do.",
        "Отдаётся прежний прайс-лист: в журнале сказано, почему нет нового и что делать.",
    ),
    "start_error": (
        "The work list could not be read: see the error in the log, then `scrapy doctor`.",
        "Не прочитан рабочий список: смотрите ошибку в журнале и `scrapy doctor`.",
    ),
}
_SEE_THE_GUIDE = ("See docs/operating.md.", "Смотрите docs/operating.md.")


def _closed(watched: Watched) -> list[Alarm]:
    if watched.reason == "finished":
        return []
    remedy, russian = REASONS.get(watched.reason, _SEE_THE_GUIDE)
    return [
        Alarm(
            name="closed",
            subject=watched.reason,
            sentence=f"The crawl ended before its time: {watched.reason}",
            remedy=remedy,
            russian=f"Обход закончился раньше времени: {watched.reason}. {russian}",
        )
    ]


def _too_few_items(watched: Watched) -> list[Alarm] | None:
    expected, items = watched.figures.expected, watched.figures.items
    if expected is None or expected < watched.thresholds.least_items:
        return None
    if watched.reason != "finished" or items >= expected * watched.thresholds.expected_share:
        return []
    worst = _most(watched.unread) or _most(watched.refused) or "offers"
    return [
        Alarm(
            name="too_few_items",
            subject=worst,
            sentence=f"{items:,} of {expected:,} readings were stored; most were lost at {worst}",
            remedy="The log names each product that was not read, and why: begin with the commonest"
            " reason, then `scrapy quarantine list`.",
            russian=f"Записано {items} из {expected}; больше всего потеряно на {worst}. Причины"
            " названы в журнале, ответы: `scrapy quarantine list`.",
        )
    ]


def _field_coverage(watched: Watched) -> list[Alarm] | None:
    if watched.is_small:
        return None
    return [
        _missing_field("field_coverage", field, _percent(share), f"wanted: {_percent_of(least)}")
        for field, least in sorted(watched.thresholds.coverage.items())
        if (share := watched.figures.coverage.get(field)) is not None and share < least * WHOLE
    ]


def _coverage_drop(watched: Watched) -> list[Alarm] | None:
    if watched.is_small or not watched.comparable:
        return None
    alarms = []
    for field, share in sorted(watched.figures.coverage.items()):
        before = [one.coverage[field] for one in watched.comparable if field in one.coverage]
        usual = median(before) if before else 0
        if usual - share > watched.thresholds.coverage_drop * WHOLE:
            told = f"it was {_percent(usual)} in the last runs"
            alarms.append(_missing_field("coverage_drop", field, _percent(share), told))
    return alarms


def _missing_field(name: str, field: str, share: str, told: str) -> Alarm:
    reading, _, word = field.partition("/")
    source = SOURCES.get(reading, reading)
    return Alarm(
        name=name,
        subject=field,
        sentence=f"{source}: only {share} of the readings have {word} ({told})",
        remedy="Kaspi may have renamed or moved it: see `scrapy quarantine list` for answers with a"
        f" drift of {source}, or open one of the products in a browser.",
        russian=f"{source}: поле {word} есть только у {share}. Возможно, Kaspi его переименовал:"
        " `scrapy quarantine list`.",
    )


def _too_many_refusals(watched: Watched) -> list[Alarm] | None:
    answers, refused = watched.figures.answers, watched.figures.refused
    if answers < watched.thresholds.least_items:
        return None
    if refused <= answers * watched.thresholds.most_refused:
        return []
    return [_refusals("too_many_refusals", watched, "")]


def _refusals_rise(watched: Watched) -> list[Alarm] | None:
    if watched.is_small or not watched.comparable:
        return None
    usual = median(_share(one.refused, one.answers) for one in watched.comparable)
    share = _share(watched.figures.refused, watched.figures.answers)
    if share - usual <= watched.thresholds.share_rise:
        return []
    return [_refusals("refusals_rise", watched, f"; it was {_percent_of(usual)} before")]


def _refusals(name: str, watched: Watched, told: str) -> Alarm:
    sources = _in_order(watched.refused)
    share = _percent_of(_share(watched.figures.refused, watched.figures.answers))
    return Alarm(
        name=name,
        subject=sources,
        sentence=f"{sources}: {share} of the answers were refusals{told}",
        remedy="Ask more slowly (KASPI_DELAY=2) or from another address; "
        "`scrapy proxies status` says how the site refused.",
        russian=f"{sources}: {share} ответов — отказы. Увеличьте KASPI_DELAY или смените адрес.",
    )


def _incomplete_boards(watched: Watched) -> list[Alarm] | None:
    boards, incomplete = watched.figures.boards, watched.figures.incomplete
    if boards < watched.thresholds.least_items:
        return None
    if incomplete <= boards * watched.thresholds.most_incomplete:
        return []
    return [_incomplete("incomplete_boards", watched, "")]


def _incomplete_rise(watched: Watched) -> list[Alarm] | None:
    if watched.figures.boards < watched.thresholds.least_items or not watched.comparable:
        return None
    usual = median(_share(one.incomplete, one.boards) for one in watched.comparable)
    share = _share(watched.figures.incomplete, watched.figures.boards)
    if share - usual <= watched.thresholds.share_rise:
        return []
    return [_incomplete("incomplete_rise", watched, f"; it was {_percent_of(usual)} before")]


def _many_gone(watched: Watched) -> list[Alarm] | None:
    standing, gone = watched.figures.standing, watched.figures.gone
    if watched.figures.boards < watched.thresholds.least_items:
        return None
    if gone <= standing * watched.thresholds.most_gone:
        return []
    share = _percent_of(_share(gone, standing))
    return [
        Alarm(
            name="many_gone",
            subject="offers",
            sentence=f"offers: {gone:,} of {standing:,} ({share}) left between two readings",
            remedy="Open some of these products: if they are still sold, the site answers with"
            " empty boards. History has what stood before; the next crawl brings the offers back.",
            russian=f"offers: {gone} из {standing} предложений ({share}) исчезли между обходами."
            " Откройте несколько товаров: если продавцы на месте, сайт даёт пустые списки.",
        )
    ]


def _incomplete(name: str, watched: Watched, told: str) -> Alarm:
    figures = watched.figures
    share = _percent_of(_share(figures.incomplete, figures.boards))
    return Alarm(
        name=name,
        subject="offers",
        sentence=f"offers: {figures.incomplete:,} of {figures.boards:,} boards ({share}) stayed"
        f" incomplete{told}",
        remedy="Of these nobody is said to have left. The log names the boards; offers that cannot"
        " be read lie in `scrapy quarantine list`, else the site moves faster than it is read.",
        russian=f"offers: {figures.incomplete} из {figures.boards} досок неполные ({share})."
        " Причины в журнале и в `scrapy quarantine list`.",
    )


def _unread_answers(watched: Watched) -> list[Alarm] | None:
    answers, unread = watched.figures.answers, watched.figures.unread
    if answers < watched.thresholds.least_items:
        return None
    if unread <= answers * watched.thresholds.most_unread:
        return []
    sources = _in_order(watched.unread)
    return [
        Alarm(
            name="unread_answers",
            subject=sources,
            sentence=f"{sources}: {unread:,} of {answers:,} answers could not be read",
            remedy="See them with `scrapy quarantine list`; after a fix `scrapy quarantine replay"
            " all` reads them again.",
            russian=f"{sources}: не прочитано {unread} из {answers} ответов:"
            " `scrapy quarantine list`.",
        )
    ]


def _items_drop(watched: Watched) -> list[Alarm] | None:
    if not watched.comparable or watched.reason != "finished":
        return None
    usual = median(one.items for one in watched.comparable)
    items = watched.figures.items
    if items >= usual * (1 - watched.thresholds.items_drop):
        return []
    worst = _most(watched.unread) or _most(watched.refused) or "the work list"
    return [
        Alarm(
            name="items_drop",
            subject=worst,
            sentence=f"{items:,} readings were stored, {usual:,.0f} in the last runs: see {worst}",
            remedy="When the work list was shortened on purpose this ends by itself in a few runs;"
            " else the log names what was not read.",
            russian=f"Записано {items}, раньше {usual:.0f}: проверьте {worst}.",
        )
    ]


#: Shorter runs are not compared: their start and end weigh too much.
_LEAST_SECONDS = 60


def _too_long(watched: Watched) -> list[Alarm]:
    seconds = watched.figures.seconds
    if seconds <= watched.thresholds.longest_seconds:
        return []
    return [_lasted("too_long", seconds, f"more than {watched.thresholds.longest_seconds:,.0f} s")]


def _slower(watched: Watched) -> list[Alarm] | None:
    if watched.is_small or not watched.comparable:
        return None
    figures = watched.figures
    usual = median(one.seconds / one.items for one in watched.comparable)
    limit = watched.thresholds.slower_times * usual * figures.items
    if figures.seconds < _LEAST_SECONDS or figures.seconds <= limit:
        return []
    return [_lasted("slower", figures.seconds, f"usual were {usual * figures.items:,.0f} s")]


def _lasted(name: str, seconds: int, told: str) -> Alarm:
    return Alarm(
        name=name,
        subject="duration",
        sentence=f"The crawl took {seconds:,} s ({told})",
        remedy="See how the exits fare (`scrapy proxies status`), the"
        " network and the database (`scrapy doctor`), or split the work list.",
        russian=f"Обход длился {seconds} с. Проверьте отказы, сеть и базу (`scrapy doctor`).",
    )


#: Kinds of drift that one alarm names; the JSON log has all.
_NAMED_DRIFTS = 5


def _schema_drift(watched: Watched) -> list[Alarm] | None:
    if not watched.looked_at:
        return None
    by_source: dict[str, list[str]] = {}
    for drift in sorted(watched.drifts):
        source, _, what = drift.partition(": ")
        by_source.setdefault(source, []).append(what)
    return [_drifted(source, kinds) for source, kinds in by_source.items()]


def _drifted(source: str, kinds: list[str]) -> Alarm:
    more = len(kinds) - _NAMED_DRIFTS
    named = ", ".join(kinds[:_NAMED_DRIFTS]) + (f" and {more} more" if more > 0 else "")
    return Alarm(
        name="schema_drift",
        subject=f"{source}: {named}",
        sentence=f"{source}: the answers have another format than we know: {named}",
        remedy="Look at one with `scrapy quarantine list` and `show`; what matters goes into"
        f" kaspi_crawler/pages, what does not into kaspi_crawler/pages/known.py ({source}).",
        russian=f"{source}: формат ответов изменился: {named}. Смотрите `scrapy quarantine list`.",
    )


def _lost_to_errors(watched: Watched) -> list[Alarm]:
    if not watched.errors:
        return []
    return [
        Alarm(
            name="lost_to_errors",
            subject="code",
            sentence=f"{watched.errors:,} readings were lost to errors of the program",
            remedy="The tracebacks are in the log: this is a defect, report it with one of them.",
            russian=f"{watched.errors} записей потеряно из-за ошибок программы: смотрите журнал.",
        )
    ]


def _prices_to_look_at(watched: Watched) -> list[Alarm]:
    count = watched.prices.get("review", 0)
    if not count:
        return []
    return [
        Alarm(
            name="prices_to_look_at",
            subject="review",
            sentence=f"Prices of ours to be looked at before they are set: {count:,}",
            remedy="`scrapy why STORE --action review` says why; change the rule, or the price in"
            " the cabinet, and the next crawl decides anew.",
            russian=f"Проверьте цены ({count}): `scrapy why МАГАЗИН --action review`.",
        )
    ]


def _unusable_rules(watched: Watched) -> list[Alarm]:
    count = watched.prices.get("unusable_rules", 0)
    if not count:
        return []
    return [
        Alarm(
            name="unusable_rules",
            subject="rules",
            sentence=f"Prices without a decision, for their rules cannot be used: {count:,}",
            remedy="The log names each article and what is wrong; `scrapy rules export`, correct"
            " the cells, `scrapy rules import`.",
            russian=f"Цены без решения из-за ошибок в правилах: {count}, смотрите журнал.",
        )
    ]


def _refused_prices(watched: Watched) -> list[Alarm]:
    count = watched.prices.get("refused", 0)
    if not count:
        return []
    return [
        Alarm(
            name="refused_prices",
            subject="outbox",
            sentence=f"Prices that the database refused and the engine had let pass: {count:,}",
            remedy="Nothing was set. This is a defect: report it with the lines of the log.",
            russian=f"База не приняла цен: {count}. Это ошибка программы, сообщите о ней.",
        )
    ]


def _signed_out(watched: Watched) -> list[Alarm]:
    return [
        Alarm(
            name="signed_out",
            subject=store,
            sentence=f"The cabinet of store {store} is shut: {why}",
            remedy="`scrapy shop list` shows all accounts. Until then nothing of this store is read"
            " in the cabinet, and no price is set there.",
            russian=f"Кабинет магазина {store} закрыт: войдите снова, `scrapy shop login {store}`.",
        )
        for store, why in sorted(watched.signed_out.items())
    ]


def _vanished_after_push(watched: Watched) -> list[Alarm]:
    count = watched.shop.get("vanished_after_push", 0) + watched.prices.get("vanished", 0)
    if not count:
        return []
    return [
        Alarm(
            name="vanished_after_push",
            subject="listings",
            sentence=f"{count:,} articles went off sale within a day of a price that we set"
            " (NO_AVAILABILITIES)",
            remedy="No price of them is sent any more. Put them on sale in the cabinet, see"
            " `listings.paused_why`, then `scrapy shop resume STORE ARTICLE`.",
            russian=f"{count} товаров снято с продажи после нашей цены (нет наличия). Верните их в"
            " кабинете, затем `scrapy shop resume МАГАЗИН АРТИКУЛ`.",
        )
    ]


def _goods_not_believed(watched: Watched) -> list[Alarm]:
    count = watched.shop.get("not_believed", 0)
    if not count:
        return []
    return [
        Alarm(
            name="goods_not_believed",
            subject="listings",
            sentence=f"The cabinet no longer shows {count:,} of our articles: too many to believe",
            remedy="They stay as they were. Look into the cabinet: does the account still see the"
            " store? If they are gone on purpose: `scrapy crawl shop -a believe=yes`.",
            russian=f"Кабинет не показал {count} наших товаров. Они оставлены как есть: проверьте"
            " кабинет.",
        )
    ]


def _unverified_prices(watched: Watched) -> list[Alarm]:
    count = watched.prices.get("unverified", 0)
    if not count:
        return []
    return [
        Alarm(
            name="unverified_prices",
            subject="publish",
            sentence=f"{count:,} prices that were sent are not seen on the site",
            remedy="They are never sent again: their boards are read first, and decided on anew."
            " `scrapy publish status STORE` says how many and why, `scrapy why` tells of each.",
            russian=f"{count} отправленных цен не видны на сайте: `scrapy publish status МАГАЗИН`.",
        )
    ]


def _blocked_publishing(watched: Watched) -> list[Alarm]:
    count = watched.prices.get("stopped/blocked", 0)
    if not count:
        return []
    return [
        Alarm(
            name="blocked_publishing",
            subject="budget",
            sentence=f"The cabinet refused prices {count:,} times as too many (429)",
            remedy="Nothing is sent for half an hour, and less after it: the budget has learned."
            " Another program that changes prices of the store uses the same limit.",
            russian="Кабинет отказал: слишком много изменений (429). Полчаса цены не отправляются.",
        )
    ]


def _low_change_limit(watched: Watched) -> list[Alarm]:
    learnt = "low_limit/"
    return [
        Alarm(
            name="low_change_limit",
            subject=store,
            sentence=f"Store {store} may change hardly any prices, or only in few pushes: at most"
            f" {few:,} in half an hour, as was learned from refusals",
            remedy="Most likely another program, or a person, changed prices of the same store."
            f" When that has ended: `scrapy publish reset {store}`.",
            russian=f"Магазину {store} доступно мало изменений цен или запросов: не больше {few} за"
            " полчаса. Если цены менял кто-то ещё и больше не меняет:"
            f" `scrapy publish reset {store}`.",
        )
        for name, few in sorted(watched.prices.items())
        if (store := name.removeprefix(learnt)) != name
    ]


def _cabinet_unreachable(watched: Watched) -> list[Alarm]:
    kinds = ("stopped/session_gone", "stopped/forbidden", "unread_items", "no_database")
    causes = {kind: count for kind in kinds if (count := watched.prices.get(kind, 0))}
    if not causes or watched.prices.get("accepted", 0):
        return []
    told = ", ".join(f"{kind.rpartition('/')[2]} {count}" for kind, count in causes.items())
    return [
        Alarm(
            name="cabinet_unreachable",
            subject=told.split()[0],
            sentence=f"No price could be sent: the cabinet was not to be used ({told})",
            remedy="With session_gone sign in again; with unread_items see whether"
            " KASPI_SECRET_KEY is set to the key that the accounts were kept with; with forbidden"
            " see whether the account may manage goods; else see the exit of the store. Prices wait"
            " meanwhile.",
            russian=f"Ни одна цена не отправлена: кабинет недоступен ({told}). Проверьте вход и"
            " прежний KASPI_SECRET_KEY. Цены ждут.",
        )
    ]


#: Every alarm by its name.
MONITORS: Mapping[str, Monitor] = {
    "closed": _closed,
    "too_few_items": _too_few_items,
    "items_drop": _items_drop,
    "field_coverage": _field_coverage,
    "coverage_drop": _coverage_drop,
    "too_many_refusals": _too_many_refusals,
    "refusals_rise": _refusals_rise,
    "incomplete_boards": _incomplete_boards,
    "incomplete_rise": _incomplete_rise,
    "many_gone": _many_gone,
    "unread_answers": _unread_answers,
    "schema_drift": _schema_drift,
    "too_long": _too_long,
    "slower": _slower,
    "lost_to_errors": _lost_to_errors,
    "prices_to_look_at": _prices_to_look_at,
    "unusable_rules": _unusable_rules,
    "refused_prices": _refused_prices,
    "unverified_prices": _unverified_prices,
    "blocked_publishing": _blocked_publishing,
    "low_change_limit": _low_change_limit,
    "cabinet_unreachable": _cabinet_unreachable,
    "signed_out": _signed_out,
    "vanished_after_push": _vanished_after_push,
    "goods_not_believed": _goods_not_believed,
}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(parts: float) -> str:
    return _percent_of(parts / WHOLE)


def _percent_of(share: float) -> str:
    return f"{100 * share:.0f} %"


def _most(counts: Mapping[str, int]) -> str | None:
    return max(counts, key=lambda source: counts[source]) if counts else None


def _in_order(counts: Mapping[str, int]) -> str:
    """The sources, the worst first."""
    worst_first: Iterable[str] = sorted(counts, key=lambda source: (-counts[source], source))
    return ", ".join(worst_first) or "the storefront"
