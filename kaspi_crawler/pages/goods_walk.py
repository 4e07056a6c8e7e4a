"""How far a store's two lists have been read: they shift while we read, as boards do."""

from enum import StrEnum

import attrs

from domain.cabinet import CabinetPage
from domain.identity import MerchantId
from partners.kaspi.cabinet import LARGEST_PAGE

#: How many times a list is read from its first page before we take what we have.
MOST_PASSES = 3
#: How many times both lists are read because goods moved from one to the other meanwhile.
MOST_ROUNDS = 3
#: A list of more than two million articles is none.
MOST_PAGES = 20_000


@attrs.frozen(kw_only=True)
class ListReading:
    """One list, pass by pass. `page` is the next one, from 0; `whole` is known when it is `over`.

    `total` is how many articles its first page spoke of in the last pass, `seen` are those of all
    passes. An empty list sends everything away when it is believed: `doubted`, it is asked twice.
    """

    doubted: bool = False
    page: int = 0
    over: bool = False
    whole: bool = False
    total: int = 0
    seen: frozenset[str] = frozenset()
    _passes: int = 1
    _totals: frozenset[int] = frozenset()
    _held: frozenset[str] = frozenset()
    _shifted: bool = False
    _spoilt: bool = False

    def add(self, part: CabinetPage) -> "ListReading":
        """Take in the answer to `page`."""
        skus = frozenset(offer.sku for offer in part.offers)
        first = self.total if self.page else part.total
        again = len(skus) < len(part.offers) or not self._held.isdisjoint(skus)
        grown = attrs.evolve(
            self,
            total=first,
            totals=self._totals | {part.total},
            held=self._held | skus,
            seen=self.seen | skus,
            spoilt=self._spoilt or bool(part.unreadable),
            shifted=self._shifted or again or part.total != first,
        )
        return grown._on(is_last=not (part.offers or part.unreadable))

    def pass_over(self) -> "ListReading":
        """Go on behind a page that could not be read; without the first there is nothing."""
        return attrs.evolve(self, spoilt=True)._on(is_last=self.page == 0)

    def _on(self, *, is_last: bool) -> "ListReading":
        page = self.page + 1
        if not is_last and page * LARGEST_PAGE < self.total and page < MOST_PAGES:
            return attrs.evolve(self, page=page)
        return self._ended()

    def _ended(self) -> "ListReading":
        """The pass is through: all was held, or the list is read anew."""
        held = not self._shifted and len(self._held) == self.total
        united = len(self._totals) == 1 and len(self.seen) == self.total
        if self._spoilt or self._passes == MOST_PASSES:
            whole = (held or united) and not self._spoilt
            return attrs.evolve(self, over=True, whole=whole)
        if (held or united) and not (self.doubted and self.total == 0 and self._passes == 1):
            return attrs.evolve(self, over=True, whole=True)
        return attrs.evolve(self, page=0, passes=self._passes + 1, held=frozenset(), shifted=False)


class Step(StrEnum):
    """What is asked next."""

    ON_SALE = "on sale"
    TAKEN_OFF = "taken off sale"
    #: What is on sale once more: its total says whether goods moved between the lists.
    CHECK = "still on sale"


@attrs.frozen(kw_only=True)
class ShopWalk:
    """A store's reading: what is on sale, then what was taken off, then whether goods moved."""

    store: MerchantId
    step: Step | None = Step.ON_SALE
    whole: bool = False
    on_sale: ListReading = ListReading(doubted=True)
    taken_off: ListReading = ListReading()
    _rounds: int = 1

    @property
    def page(self) -> int:
        """The page to ask for, from 0."""
        match self.step:
            case Step.ON_SALE:
                return self.on_sale.page
            case Step.TAKEN_OFF:
                return self.taken_off.page
        return 0

    @property
    def count(self) -> int:
        """How many different articles were seen."""
        return len(self.on_sale.seen | self.taken_off.seen)

    def add(self, part: CabinetPage) -> "ShopWalk":
        """Take in the answer to what was asked."""
        match self.step:
            case Step.ON_SALE:
                return attrs.evolve(self, on_sale=self.on_sale.add(part))._on()
            case Step.TAKEN_OFF:
                return attrs.evolve(self, taken_off=self.taken_off.add(part))._on()
        if part.total == self.on_sale.total:
            return attrs.evolve(self, step=None, whole=True)
        if self._rounds == MOST_ROUNDS:
            return attrs.evolve(self, step=None)
        return ShopWalk(store=self.store, rounds=self._rounds + 1)

    def pass_over(self) -> "ShopWalk":
        """Go on behind a page that could not be read."""
        match self.step:
            case Step.ON_SALE:
                return attrs.evolve(self, on_sale=self.on_sale.pass_over())._on()
            case Step.TAKEN_OFF:
                return attrs.evolve(self, taken_off=self.taken_off.pass_over())._on()
        return attrs.evolve(self, step=None)

    def _on(self) -> "ShopWalk":
        if not self.on_sale.over:
            return self
        if not self.taken_off.over:
            return attrs.evolve(self, step=Step.TAKEN_OFF)
        is_whole = self.on_sale.whole and self.taken_off.whole
        return attrs.evolve(self, step=Step.CHECK if is_whole else None)
