"""The products behind one card of a listing, read off the page that the card leads to.

A group of variants has a page, too, but which of them it shows has not been recorded: whichever it
is, its configurator names all.
"""

from datetime import datetime

import attrs

from domain.identity import ProductId
from domain.product import ProductCard
from kaspi_crawler.pages import product_state
from kaspi_crawler.pages.forgiving import Misfit
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import ProductPage
from partners.call import Answer


@attrs.frozen
class VariantsPage:
    """The answer to Storefront.product_page about a card of a listing."""

    answer: Answer
    card_id: ProductId
    checked_at: datetime

    def to_item(self) -> tuple[ProductId, ...] | TryAgain | Unreadable:
        """The product shown and its siblings; nobody when there is no such page any more."""
        card = ProductPage(self.answer, self._shown(), self.checked_at).to_item()
        if isinstance(card, ProductCard):
            siblings = (variant.kaspi_id for variant in card.variants)
            return tuple(dict.fromkeys((card.kaspi_id, *siblings)))
        return card if isinstance(card, TryAgain | Unreadable) else ()

    def _shown(self) -> ProductId:
        """The product whose page it is, which is another one than the group that was asked for."""
        try:
            state = product_state.read_state(self.answer.body)
        except Misfit:
            return self.card_id
        return ProductId(state.item.card.id) if state else self.card_id
