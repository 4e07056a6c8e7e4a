"""How far a listing has been read: its pages overlap, end without a word, or are walled off."""

from enum import StrEnum
from typing import Any

import attrs

from domain.identity import CityId, ProductId
from domain.listing import ListedCard, ListingKind, ListingQuery
from kaspi_crawler.pages.listing import ListingPart
from partners.kaspi.storefront_listing import SEARCH_PAGES

#: Pages in a row without a new card, after which nothing more is expected.
BARREN_PAGES = 2


class Ending(StrEnum):
    """Why a listing was not read any further."""

    EMPTY = "an empty page"
    BARREN = "two pages without anything new"
    DEPTH = "as many pages as were asked for"
    WALL = "a wall: the site shows no more of it"
    ENDLESS = "more pages than a listing can have"
    UNREAD = "its first page could not be read"


@attrs.frozen(kw_only=True)
class ListingWalk:
    """One listing in one city. `page` is the next one to ask for, counted from 0.

    `depth` is how many pages may be asked for, `longest` how many there can be. `total` is what
    the first page said, `held` how many different cards were shown.
    """

    query: ListingQuery
    city: CityId
    depth: int | None
    longest: int
    page: int = 0
    asked_as: str | None = None
    total: int | None = None
    ending: Ending | None = None
    _seen: frozenset[ProductId] = frozenset()
    _barren: int = 0

    @property
    def held(self) -> int:
        """How many different cards were shown."""
        return len(self._seen)

    @property
    def whole(self) -> bool:
        """Whether as many cards were shown as the listing was said to have."""
        return self.total is not None and self.held >= self.total

    def news(self, part: ListingPart) -> tuple[ListedCard, ...]:
        """The cards that no page before has shown, each once, with their places in the listing."""
        fresh: dict[ProductId, ListedCard] = {}
        for card in part.cards:
            if card.card_id not in self._seen:
                place = self.held + len(fresh) + 1
                fresh.setdefault(card.card_id, attrs.evolve(card, place=place))
        return tuple(fresh.values())

    def add(self, part: ListingPart) -> "ListingWalk":
        """Take in the answer to `page`."""
        news = self.news(part)
        first = {"asked_as": part.asked_as, "total": part.total} if self.page == 0 else {}
        empty = not part.cards and not part.unreadable
        return self._on(
            fresh=bool(news),
            ending=Ending.EMPTY if empty else None,
            seen=self._seen | {card.card_id for card in news},
            **first,
        )

    def pass_over(self) -> "ListingWalk":
        """Go on behind a page that could not be read; without the first page there is nothing."""
        return self._on(fresh=False, ending=None if self.page else Ending.UNREAD)

    def hit_wall(self) -> "ListingWalk":
        """The page is not shown."""
        return attrs.evolve(self, ending=Ending.WALL)

    def _on(self, *, fresh: bool, ending: Ending | None, **known: Any) -> "ListingWalk":
        barren = 0 if fresh else self._barren + 1
        page = self.page + 1
        if ending is None:
            ending = self._ending(page, barren)
        return attrs.evolve(self, page=page, barren=barren, ending=ending, **known)

    def _ending(self, page: int, barren: int) -> Ending | None:
        if barren >= BARREN_PAGES:
            return Ending.BARREN
        if self.depth is not None and page >= self.depth:
            return Ending.DEPTH
        if self.depth is None and self.query.kind is ListingKind.SEARCH and page >= SEARCH_PAGES:
            return Ending.WALL  # everybody who asked on was refused: the question is spared
        return Ending.ENDLESS if page >= self.longest else None
