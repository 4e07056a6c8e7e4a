"""What can be recorded: the questions that the spiders ask about a thing, and who reads them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Protocol
from urllib.parse import quote, unquote

import attrs

from domain.identity import ALMATY_CITY, CityId, ProductId
from domain.listing import ListingKind, ListingQuery
from kaspi_crawler import arguments
from kaspi_crawler.pages.listing import ListingAnswer
from kaspi_crawler.pages.offers import OffersPage
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage
from partners.call import Answer, Call
from partners.kaspi.storefront import Storefront, city_id, product_id
from partners.kaspi.storefront_listing import Listings


@attrs.frozen(kw_only=True)
class Question:
    """One call, and the page that reads its answer.

    `is_page` says that it is paced as pages are. `people` are the top-level keys of the answer
    that speak of people: of them only the shape is kept.
    """

    name: str
    call: Call
    read: Callable[[Answer, datetime], object]
    is_page: bool = False
    people: tuple[str, ...] = ()


class Subject(Protocol):
    """A thing with a cassette of its own."""

    @property
    def name(self) -> str:
        """The cassette's name, from which `subject_of` makes the subject again."""

    def questions(self, storefront: Storefront) -> Iterator[Question]:
        """All that the spiders ask about it."""


@attrs.frozen
class Product:
    """A product in a city: its page, the first page of its offers, its reviews."""

    id: ProductId
    city: CityId

    @property
    def name(self) -> str:
        return f"product-{self.id}-{self.city}"

    def __str__(self) -> str:
        return f"product {self.id}, city {self.city}"

    def questions(self, storefront: Storefront) -> Iterator[Question]:
        yield Question(
            name="page",
            call=storefront.product_page(self.id, self.city),
            read=partial(_read_page, self.id),
            is_page=True,
        )
        yield Question(
            name="offers",
            call=storefront.offers(self.id, self.city, page=0),
            read=partial(_read_offers, self.id, self.city),
        )
        yield Question(
            name="reviews",
            call=storefront.reviews(self.id),
            read=partial(_read_reviews, self.id),
            people=("data",),
        )


@attrs.frozen
class Listing:
    """A listing in a city: its first page, with the total and the facets, and the next one."""

    query: ListingQuery
    city: CityId

    @property
    def name(self) -> str:
        value = quote(self.query.value, safe="").replace("-", "%2D")
        return f"{self.query.kind}-{value}-{self.city}"

    def __str__(self) -> str:
        return f"listing of {self.query}, city {self.city}"

    def questions(self, storefront: Storefront) -> Iterator[Question]:
        listings = Listings(storefront)
        yield Question(
            name="filters",
            call=listings.first(self.query, self.city),
            read=partial(_read_listing, self.query, self.city, 0),
        )
        yield Question(
            name="results",
            call=listings.following(self.query, self.city, 1, asked_as=None),
            read=partial(_read_listing, self.query, self.city, 1),
        )


def subjects(texts: Iterable[str], cities: tuple[CityId, ...]) -> Iterator[Subject]:
    """What people named, in each of the cities: products as spiders take them, and listings as
    category=Smartphones, search=iphone 15, merchant=11271005. Raises ValueError with a sentence.
    """
    for text in texts:
        kind, equals, value = text.partition("=")
        for city in cities or (ALMATY_CITY,):
            if equals and kind in set(ListingKind):
                listings = arguments.listings({kind: value}, tree=False, sitemap=False)
                yield from (Listing(query, city) for query in listings)
            else:
                yield Product(product_id(text), city)


def subject_of(name: str) -> Subject:
    """The subject of a cassette. Raises ValueError when its name is none of ours."""
    match name.split("-"):
        case ["product", product, city]:
            return Product(product_id(product), city_id(city))
        case [kind, value, city] if kind in set(ListingKind):
            return Listing(ListingQuery(ListingKind(kind), unquote(value)), city_id(city))
    raise ValueError(
        f"{name!r} is no cassette of ours: one of a product is named product-102298404-750000000, "
        "one of a listing category-Smartphones-750000000"
    )


def _read_page(product: ProductId, answer: Answer, moment: datetime) -> object:
    return ProductPage(answer, product, moment).to_item()


def _read_offers(product: ProductId, city: CityId, answer: Answer, moment: datetime) -> object:
    return OffersPage(answer, product, city, moment).to_item()


def _read_listing(
    query: ListingQuery, city: CityId, page: int, answer: Answer, moment: datetime
) -> object:
    return ListingAnswer(answer, query, city, page, moment).to_item()


def _read_reviews(product: ProductId, answer: Answer, moment: datetime) -> object:
    return ReviewsPage(answer, product, moment).to_item()
