"""The story of a price in words: what was seen, what was decided by which rule, what came of it."""

from collections.abc import Iterator, Mapping, Sequence

import attrs
import msgspec

from domain.identity import MerchantId
from domain.moments import almaty_date
from domain.pricing import WHOLE, Decision, MarketOffer, NoRival
from kaspi_crawler.outbox_words import Language, hour, journey
from repricer.costs import Bill, bill
from repricer.explain import english, money, russian
from repricer.spoken import read_rule
from repricer.tariffs import packaged
from storage.stories import Chapter, Intended, Latest, Past, ToldListing

_WORDS = {
    "store": ("store", "магазин"),
    "sku": ("article", "артикул"),
    "product": ("product", "товар"),
    "city": ("City", "Город"),
    "stock": ("in stock", "в наличии"),
    "decided": ("Decided by the board of", "Решено по витрине от"),
    "checked": ("last read", "прочитана"),
    "never": ("The board was never read", "Витрину ещё не читали"),
    "incomplete": (
        "The board could not be read whole, so nothing was decided by it",
        "Витрину не удалось прочитать целиком, поэтому по ней ничего не решали",
    ),
    "undecided": (
        "Nothing was decided by then",
        "К этому времени ничего не было решено",
    ),
    "no_rule": (
        "No rule held then: see `scrapy rules`",
        "Правила тогда не было: см. `scrapy rules`",
    ),
    "rule": ("rule", "правило"),
    "since": ("since", "с"),
    "replaced": (
        "it was replaced since: the next reading decides by the new one",
        "с тех пор его сменило другое: по нему решит следующее чтение",
    ),
    "allowed": ("allowed prices", "допустимые цены"),
    "nothing_allowed": ("none", "нет"),
    "place": ("place", "место"),
    "limits": ("bound by", "ограничено"),
    "bill": ("a sale at", "продажа по"),
    "commission": ("commission", "комиссия"),
    "payment": ("Kaspi Pay", "Kaspi Pay"),
    "tax": ("tax", "налог"),
    "delivery": ("delivery", "доставка"),
    "packaging": ("packaging", "упаковка"),
    "cost": ("purchase", "закупка"),
    "left": ("left", "остаётся"),
    "rivals": ("Rivals", "Конкуренты"),
    "dropped": ("Not rivals", "Не конкуренты"),
    "outbox": ("Outbox", "Исходящие"),
    "earlier": ("Before that", "До этого"),
}
_WHY_NO_RIVAL: Mapping[NoRival, tuple[str, str]] = {
    NoRival.OURSELVES: ("ourselves", "мы сами"),
    NoRival.SISTER: ("our other store", "наш другой магазин"),
    NoRival.IGNORED: ("the rule ignores it", "правило не смотрит на него"),
    NoRival.NOT_FOLLOWED: ("not on the rule's list", "нет в списке правила"),
    NoRival.ABSURD: ("an absurd price", "нелепая цена"),
    NoRival.PREORDER: ("preorder", "предзаказ"),
    NoRival.RATING: ("rating too low", "низкий рейтинг"),
    NoRival.REVIEWS: ("too few reviews", "мало отзывов"),
    NoRival.SLOWER: ("slower delivery", "доставка дольше"),
}
#: What is taken of a sale, in this order.
_ITEMS = ("commission", "payment", "tax", "delivery", "packaging", "cost")
#: How many offers of a board are shown.
_SHOWN = 8


@attrs.frozen(kw_only=True)
class Teller:
    """Tells in one language, and calls merchants by their names."""

    language: Language
    names: Mapping[MerchantId, str] = {}

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
        yield from self._outbox(chapter.intentions)
        for past in chapter.earlier:
            yield self._field("earlier", f"{hour(past.board_at)} {self.sentence(past.decision)}")

    def sentence(self, decision: Decision) -> str:
        """The decision in one sentence."""
        return {"en": english, "ru": russian}[self.language](decision, self.names)

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
        english_word, russian_word = _WORDS[word]
        return english_word if self.language == "en" else russian_word

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
            yield self._field("limits", ", ".join(decision.constraints))

    def _rule(self, chapter: Chapter, rule: bytes, decided: Past) -> Iterator[str]:
        """The rule in its own words, and what a sale costs by it before and after."""
        words = ", ".join(f"{key} {value}" for key, value in msgspec.json.decode(rule).items())
        since = chapter.rule_since and f", {self._('since')} {hour(chapter.rule_since)}"
        replaced = f"; {self._('replaced')}" if chapter.rule_replaced else ""
        yield self._field("rule", f"{words} ({chapter.rule_source}{since or ''}){replaced}")
        by = read_rule(rule)
        tariff = packaged().on(almaty_date(decided.board_at)) if by.uses_tariffs else None
        for price in dict.fromkeys((decided.decision.before, decided.decision.price)):
            made = None if price is None else bill(by, tariff, price)
            if made is not None:
                yield self._field("bill", self._billed(made))

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
        in_english, in_russian = _WHY_NO_RIVAL[why]
        return in_english if self.language == "en" else in_russian

    def _offer(self, offer: MarketOffer) -> str:
        return f"{self.names.get(offer.merchant, offer.merchant)} {money(offer.price)}"

    def _outbox(self, intentions: Sequence[Intended]) -> Iterator[str]:
        for intended in intentions:
            yield self._field("outbox", journey(intended, self.language))

    def _field(self, name: str, value: str) -> str:
        return f"    {self._(name)}: {value}"


def _tiyn(amount: int) -> str:
    """Ten-thousandths of a tenge with two digits behind the point, the rest cut off."""
    whole, part = divmod(amount, WHOLE)
    return f"{whole:,}.{part // 100:02}".replace(",", "\N{NO-BREAK SPACE}")
