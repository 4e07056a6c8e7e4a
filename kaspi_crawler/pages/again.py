"""Reads an answer that was set aside once more, with the page that reads such answers today."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from domain.identity import CityId, MerchantId, ProductId
from domain.listing import ListingKind, ListingQuery
from domain.readings import Source
from kaspi_crawler.pages.goods import GoodsPage, StoresAnswer
from kaspi_crawler.pages.listing import ListingAnswer
from kaspi_crawler.pages.navigation import MenuPage
from kaspi_crawler.pages.offers import OffersPage
from kaspi_crawler.pages.outcomes import Unreadable
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage, TextsPage
from kaspi_crawler.pages.short_link import ShortLinkAnswer
from kaspi_crawler.pages.sitemap import CitySitemapPage, SitemapIndexPage
from kaspi_crawler.pages.variants import VariantsPage
from partners.call import Answer
from partners.kaspi.storefront import REVIEWS_A_PAGE, ShortLink

_STORE = re.compile(r"store (\w+)")
_LISTING = re.compile(rf"({'|'.join(ListingKind)}) (['\"])(.*)\2, page ([0-9]+)")


@attrs.frozen(kw_only=True)
class Question:
    """What an answer was about, as its description has it.

    `subject` is a product's id, a short link's path, or the name of a listing's page.
    """

    source: Source
    subject: str
    city: CityId | None
    moment: datetime

    @property
    def product(self) -> ProductId:
        """The product, as its id or as the last word of a name: variants of 11636226b."""
        return ProductId(self.subject.rpartition(" ")[2])


def read_again(answer: Answer, asked: Question) -> object:
    """The item, TryAgain or Unreadable, as in a crawl; an item that lacks a part is Unreadable.

    Raises ValueError for a subject that names no listing.
    """
    return _whole(_READERS[asked.source](answer, asked))


def _read_listing(answer: Answer, asked: Question) -> object:
    query, page = _listing(asked.subject)
    return ListingAnswer(answer, query, asked.city or CityId(""), page, asked.moment).to_item()


def _read_sitemap(answer: Answer, asked: Question) -> object:
    if asked.city is None:
        return SitemapIndexPage(answer).to_item()
    return CitySitemapPage(answer, asked.city, asked.moment).to_item()


_READERS: Mapping[Source, Callable[[Answer, Question], object]] = {
    Source.PAGE: lambda answer, asked: ProductPage(answer, asked.product, asked.moment).to_item(),
    Source.OFFERS: lambda answer, asked: OffersPage(
        answer, asked.product, asked.city or CityId(""), asked.moment
    ).to_item(),
    Source.REVIEWS: lambda answer, asked: ReviewsPage(
        answer, asked.product, asked.moment
    ).to_item(),
    Source.TEXTS: lambda answer, asked: TextsPage(
        answer, asked.product, 0, REVIEWS_A_PAGE, asked.moment
    ).to_item(),
    Source.LINK: lambda answer, asked: ShortLinkAnswer(
        answer, ShortLink(asked.subject.rpartition("/")[2])
    ).to_item(),
    Source.VARIANTS: lambda answer, asked: VariantsPage(
        answer, asked.product, asked.moment
    ).to_item(),
    Source.LISTING: _read_listing,
    Source.CATEGORIES: lambda answer, asked: MenuPage(
        answer, asked.city or CityId(""), asked.moment
    ).to_item(),
    Source.SITEMAP: _read_sitemap,
    Source.SHOP: lambda answer, asked: GoodsPage(answer, _store(asked.subject)).to_item(),
    Source.STORES: lambda answer, asked: StoresAnswer(answer, _store(asked.subject)).to_item(),
}


def _listing(subject: str) -> tuple[ListingQuery, int]:
    named = _LISTING.fullmatch(subject)
    if named is None:
        raise ValueError(f"{subject!r} names no page of a listing")
    return ListingQuery(ListingKind(named[1]), named[3]), int(named[4])


def _store(subject: str) -> MerchantId:
    named = _STORE.search(subject)
    if named is None:
        raise ValueError(f"{subject!r} names no store")
    return MerchantId(named[1])


def _whole(outcome: object) -> object:
    """An answer with several parts reads when all of them do."""
    unreadable: tuple[str, ...] = getattr(outcome, "unreadable", ())
    if unreadable:
        return Unreadable("; ".join(unreadable), "The other parts of the answer can be read.")
    return outcome
