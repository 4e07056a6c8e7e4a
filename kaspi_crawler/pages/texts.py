"""How far a product's reviews have been read: from the newest back to what is held already."""

import attrs

from domain.identity import ProductId
from domain.reviews import ReviewText
from kaspi_crawler.pages.reviews import TextsPart

#: How many ids of the newest reviews are kept to know them again: some may be withdrawn meanwhile.
NEWEST = 20
#: Pages after which reviews are taken for endless: ten times the longest list that was seen.
MOST_PAGES = 1_000


@attrs.frozen(kw_only=True)
class TextsReading:
    """The reviews of one product. `page` is the next one to ask for, counted from 0.

    `known` are the ids that were newest when the reviews were last read to their end. `over` says
    that the reading has come to its own end: everything newer is held now.
    """

    product: ProductId
    known: frozenset[str]
    page: int = 0
    newest: tuple[str, ...] = ()
    over: bool = False
    _seen: frozenset[str] = frozenset()

    def news(self, part: TextsPart) -> tuple[ReviewText, ...]:
        """The reviews of a page that no page before has shown, each once.

        Those that are held already are among them: the buyer may have edited them.
        """
        fresh = {review.id: review for review in part.reviews if review.id not in self._seen}
        return tuple(fresh.values())

    def add(self, part: TextsPart) -> "TextsReading":
        """Take in the answer to `page`."""
        news = self.news(part)
        newest = self.newest
        if self.page == 0 and part.newest_first:
            newest = tuple(review.id for review in news[:NEWEST])
        met = part.newest_first and not self.known.isdisjoint(review.id for review in news)
        return attrs.evolve(
            self,
            page=self.page + 1,
            newest=newest,
            over=met or not part.whole or not news,
            seen=self._seen | {review.id for review in news},
        )

    @property
    def endless(self) -> bool:
        """Whether there are more pages than there can be."""
        return self.page >= MOST_PAGES
