"""Stage 100: clean: texts without control characters and stray spaces."""

import re
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

import attrs
import msgspec

from domain.cabinet import CabinetOffer, ShopPage, ShopRead
from domain.offers import Offer, OfferBoard
from domain.product import ProductCard
from domain.readings import Discovery, Finding, ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")
_SPACES = re.compile(r"[^\S\n]+")

#: Texts of an offer that sellers type.
_TYPED = ("seller", "merchant_sku", "title", "located_in_point")
_typed = attrgetter(*_TYPED)


class Clean:
    """Tidies what people typed; what is tidy passes untouched."""

    def process_item(self, item: Finding) -> Finding:
        """Clean what holds typed text; ratings and the like hold none."""
        match item:
            case OfferBoard():
                return clean_board(item)
            case ProductRefresh():
                boards = tuple(map(clean_board, item.boards))
                return attrs.evolve(item, card=clean_card(item.card), boards=boards)
            case ReviewSummary() | ProductMissing() | ShopRead():
                return item
            case ShopPage():
                return clean_page(item)
            case _:
                return clean_discovery(item)


def clean_board(board: OfferBoard) -> OfferBoard:
    """The board, itself when all its texts are tidy, as nearly all are."""
    if is_tidy(filter(None, chain.from_iterable(map(_typed, board.offers)))):
        return board
    return attrs.evolve(board, offers=tuple(map(_clean_offer, board.offers)))


def clean_card(card: ProductCard) -> ProductCard:
    """The card with clean texts, down to the last specification."""
    fields = (field.name for field in attrs.fields(ProductCard))
    return attrs.evolve(card, **{name: _clean_within(getattr(card, name)) for name in fields})


def clean_discovery(found: Discovery) -> Discovery:
    """A page of a listing, of reviews or of categories with clean texts."""
    cleaned: Discovery = _clean_within(found)
    return cleaned


def clean_page(page: ShopPage) -> ShopPage:
    """A page of our goods with clean names; an article is a key, and stays as it is."""
    return attrs.evolve(page, offers=tuple(map(_clean_own_offer, page.offers)))


def clean_text(text: str) -> str:
    """The text without control characters, and with single spaces; line ends stay."""
    return _SPACES.sub(" ", _CONTROL.sub("", text)).strip()


def is_tidy(texts: Iterable[str]) -> bool:
    """Whether cleaning would change none of these one-line texts.

    They are looked at together: a few passes over one string are ten times faster than a
    regular expression a text, and this is done for every offer that is read.
    """
    joined = f"¦{'¦'.join(texts)}¦"
    return joined.isprintable() and "  " not in joined and "¦ " not in joined and " ¦" not in joined


def _clean_offer(offer: Offer) -> Offer:
    cleaned: dict[str, Any] = {name: _clean_within(getattr(offer, name)) for name in _TYPED}
    return msgspec.structs.replace(offer, **cleaned)


def _clean_own_offer(offer: CabinetOffer) -> CabinetOffer:
    names = ("title", "model", "brand")
    return attrs.evolve(offer, **{name: _clean_within(getattr(offer, name)) for name in names})


def _clean_within(value: Any) -> Any:
    if type(value) is str:
        return clean_text(value)
    if isinstance(value, tuple):
        return tuple(map(_clean_within, value))
    if attrs.has(type(value)):
        names = (field.name for field in attrs.fields(type(value)))
        return attrs.evolve(value, **{name: _clean_within(getattr(value, name)) for name in names})
    return value
