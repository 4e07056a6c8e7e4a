"""The story of a price in words: what was seen, what was decided by which rule, what came of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import msgspec

from domain.identity import CityId, MerchantId
from domain.moments import almaty_date
from domain.pricing import WHOLE, Constraint, Decision, MarketOffer, NoRival
from kaspi_crawler.feed.deliveries import Delivery
from kaspi_crawler.outbox_words import hour, journey
from kaspi_crawler.rules.columns import RULES
from kaspi_crawler.rules.raw import shown
from kaspi_crawler.rules.records import cell
from kaspi_crawler.said import Language, Said
from repricer.costs import Bill, bill
from repricer.explain import english, money, russian
from repricer.spoken import read_rule
from repricer.tariffs import packaged
from storage.stories import Chapter, Intended, Latest, Past, ToldListing

_WORDS: Mapping[str, Said] = {
    "store": Said("store", "магазин"),
    "sku": Said("article", "артикул"),
    "product": Said("product", "товар"),
    "city": Said("City", "Город"),
    "stock": Said("in stock", "в наличии"),
    "decided": Said("Decided by the board of", "Решено по витрине от"),
    "checked": Said("last read", "прочитана"),
    "never": Said("The board was never read", "Витрину ещё не читали"),
    "incomplete": Said(
        "The board could not be read whole, so nothing was decided by it",
        "Витрину не удалось прочитать целиком, поэтому по ней ничего не решали",
    ),
    "undecided": Said(
        "Nothing was decided by then",
        "К этому времени ничего не было решено",
    ),
    "no_rule": Said(
        "No rule held then: see `scrapy rules`",
        "Правила тогда не было: см. `scrapy rules`",
    ),
    "rule": Said("rule", "правило"),
    "since": Said("since", "с"),
    "replaced": Said(
        "it was replaced since: the next reading decides by the new one",
        "с тех пор его сменило другое: по нему решит следующее чтение",
    ),
    "allowed": Said("allowed prices", "допустимые цены"),
    "nothing_allowed": Said("none", "нет"),
    "place": Said("place", "место"),
    "limits": Said("bound by", "ограничено"),
    "bill": Said("a sale at", "продажа по"),
    "commission": Said("commission", "комиссия"),
    "payment": Said("Kaspi Pay", "Kaspi Pay"),
    "tax": Said("tax", "налог"),
    "delivery": Said("delivery", "доставка"),
    "packaging": Said("packaging", "упаковка"),
    "cost": Said("purchase", "закупка"),
    "left": Said("left", "остаётся"),
    "rivals": Said("Rivals", "Конкуренты"),
    "dropped": Said("Not rivals", "Не конкуренты"),
    "outbox": Said("Outbox", "Исходящие"),
    "earlier": Said("Before that", "До этого"),
}
_WHY_NO_RIVAL: Mapping[NoRival, Said] = {
    NoRival.OURSELVES: Said("ourselves", "мы сами"),
    NoRival.SISTER: Said("our other store", "наш другой магазин"),
    NoRival.IGNORED: Said("the rule ignores it", "правило не смотрит на него"),
    NoRival.NOT_FOLLOWED: Said("not on the rule's list", "нет в списке правила"),
    NoRival.ABSURD: Said("an absurd price", "нелепая цена"),
    NoRival.PREORDER: Said("preorder", "предзаказ"),
    NoRival.RATING: Said("rating too low", "низкий рейтинг"),
    NoRival.REVIEWS: Said("too few reviews", "мало отзывов"),
    NoRival.SLOWER: Said("slower delivery", "доставка дольше"),
}
_LIMITS: Mapping[Constraint, Said] = {
    Constraint.FLOOR: Said("floor", "минимум"),
    Constraint.MARGIN: Said("margin", "маржа"),
    Constraint.CEILING: Said("ceiling", "максимум"),
    Constraint.DEAD_ZONE: Said("dead zone", "мёртвая зона"),
    Constraint.SHADOW: Said("shadow", "тень"),
    Constraint.GAIN: Said("gain", "выгода"),
    Constraint.COOLDOWN: Said("cooldown", "пауза"),
    Constraint.PATIENCE: Said("patience", "терпение"),
    Constraint.WINDOW: Said("window", "часы"),
    Constraint.STOCK: Said("stock", "остаток"),
    Constraint.MAX_CHANGE: Said("change at once", "скачок за раз"),
    Constraint.MAX_CHANGE_DAY: Said("changes of the day", "изменения за день"),
    Constraint.ANOMALY: Said("anomaly", "чужая правка"),
}
#: What is taken of a sale, in this order.
_ITEMS = ("commission", "payment", "tax", "delivery", "packaging", "cost")
#: How many offers of a board are shown.
_SHOWN = 8


#: Which version of the feed brought an intended price to a city; None: none did.
ByFeed = Callable[[CityId, Intended], Delivery | None]


@attrs.frozen(kw_only=True)
class Teller:
    """Tells in one language, and calls merchants by their names."""

    language: Language
    names: Mapping[MerchantId, str] = {}
    feed: ByFeed = lambda _city, _intended: None

    def beginning(self, listing: ToldListing) -> str:
        """Whose story it is."""
        stock = "" if listing.stock is None else f", {self._('stock')}: {listing.stock}"
        return (
            f"{self._('store')} {listing.store}, {self._('sku')} {listing.sku}: "
            f"{listing.name or '?'} ({self._('product')} {listing.kaspi_id}{stock})"
        )

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """The lines of one chapter."""
        yield f"{self._('city')} {chapter.city}"
        if chapter.decided is None:
            yield f"  {self._why_not(chapter)}"
            return
        decision = chapter.decided.decision
        read = chapter.checked_at and f" ({self._('checked')} {hour(chapter.checked_at)})"
        yield f"  {self._('decided')} {hour(chapter.decided.board_at)}{read or ''}"
        yield f"  {self.sentence(decision)}"
        yield from self._numbers(decision)
        if chapter.rule is not None:
            yield from self._rule(chapter, chapter.rule, chapter.decided)
        yield from self._offers(decision)
        yield from self._outbox(chapter)
        for past in chapter.earlier:
            yield self._field("earlier", f"{hour(past.board_at)} {self.sentence(past.decision)}")

    def sentence(self, decision: Decision) -> str:
        """The decision in one sentence."""
        told = russian if self.language is Language.RUSSIAN else english
        return told(decision, self.names)

    def line(self, latest: Latest) -> str:
        """One decision on one line, separated by tabs."""
        action, moment = latest.decided.decision.action, hour(latest.decided.board_at)
        return f"{latest.sku}\t{latest.city}\t{moment}\t{action}\t{self.of(latest)}"

    def of(self, latest: Latest) -> str:
        """One decision in one sentence, with its rival's name."""
        decision, names = latest.decided.decision, {}
        if latest.rival and decision.rival:
            names = {decision.rival.merchant: latest.rival.strip()}
        return attrs.evolve(self, names=names).sentence(decision)

    def _(self, word: str) -> str:
        return _WORDS[word].in_(self.language)

    def _why_not(self, chapter: Chapter) -> str:
        if chapter.rule is None:
            return self._("no_rule")
        if chapter.complete is None:
            return self._("never")
        return self._("undecided" if chapter.complete else "incomplete")

    def _numbers(self, decision: Decision) -> Iterator[str]:
        pairs = ", ".join(f"{money(low)}–{money(high)}" for low, high in decision.pairs)
        yield self._field("allowed", pairs or self._("nothing_allowed"))
        if decision.place is not None:
            was = "" if decision.place_before is None else f"{decision.place_before} → "
            yield self._field("place", f"{was}{decision.place}")
        if decision.constraints:
            yield self._field("limits", ", ".join(self._limit(one) for one in decision.constraints))

    def _limit(self, constraint: Constraint) -> str:
        return _LIMITS[constraint].in_(self.language)

    def _rule(self, chapter: Chapter, rule: bytes, decided: Past) -> Iterator[str]:
        """The rule in its own words, and what a sale costs by it before and after."""
        words = ", ".join(self._key(*said) for said in msgspec.json.decode(rule).items())
        since = chapter.rule_since and f", {self._('since')} {hour(chapter.rule_since)}"
        replaced = f"; {self._('replaced')}" if chapter.rule_replaced else ""
        yield self._field("rule", f"{words} ({chapter.rule_source}{since or ''}){replaced}")
        by = read_rule(rule)
        tariff = packaged().on(almaty_date(decided.board_at)) if by.uses_tariffs else None
        for price in dict.fromkeys((decided.decision.before, decided.decision.price)):
            made = None if price is None else bill(by, tariff, price)
            if made is not None:
                yield self._field("bill", self._billed(made))

    def _key(self, key: str, value: Any) -> str:
        """A key of a rule and its value, as a table of rules writes them."""
        column = RULES.by_key[key]
        told = cell(column, value, self.language)
        return f"{column.title(self.language)} {'' if told is None else shown(told)}"

    def _billed(self, made: Bill) -> str:
        taken = {item: getattr(made, item) for item in _ITEMS}
        items = ", ".join(f"{self._(item)} {_tiyn(much)}" for item, much in taken.items() if much)
        price, left = money(made.price // WHOLE), money(made.left // WHOLE)
        return f"{price}: {items}; {self._('left')} {left}"

    def _offers(self, decision: Decision) -> Iterator[str]:
        rivals = [self._offer(offer) for offer in decision.rivals]
        dropped = [
            f"{self._offer(offer)}: {self._no_rival(why)}" for offer, why in decision.dropped
        ]
        for name, offers in (("rivals", rivals), ("dropped", dropped)):
            if offers:
                more = f"; … (+{len(offers) - _SHOWN})" if len(offers) > _SHOWN else ""
                yield self._field(name, "; ".join(offers[:_SHOWN]) + more)

    def _no_rival(self, why: NoRival) -> str:
        return _WHY_NO_RIVAL[why].in_(self.language)

    def _offer(self, offer: MarketOffer) -> str:
        return f"{self.names.get(offer.merchant, offer.merchant)} {money(offer.price)}"

    def _outbox(self, chapter: Chapter) -> Iterator[str]:
        for intended in chapter.intentions:
            feed = self.feed(chapter.city, intended)
            yield self._field("outbox", journey(intended, self.language, feed))

    def _field(self, name: str, value: str) -> str:
        return f"    {self._(name)}: {value}"


def _tiyn(amount: int) -> str:
    """Ten-thousandths of a tenge with two digits behind the point, the rest cut off."""
    whole, part = divmod(amount, WHOLE)
    return f"{whole:,}.{part // 100:02}".replace(",", "\N{NO-BREAK SPACE}")
