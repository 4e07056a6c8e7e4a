"""Where products come from: categories, searches, merchants; and the tree of categories."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import attrs
from scrapy import Request

from domain.categories import CategorySource, CategoryTree
from domain.identity import CityId, ProductId
from domain.listing import FoundVariants, ListedCard, ListingKind, ListingPage
from domain.readings import Source, Topic
from kaspi_crawler import arguments
from kaspi_crawler.conversation import Heard, Inquiry, StorefrontSpider, Turn
from kaspi_crawler.pages.listing import ListingAnswer, ListingPart, ListingWall
from kaspi_crawler.pages.navigation import MenuPage
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.sitemap import CitySitemapPage, SitemapIndexPage
from kaspi_crawler.pages.variants import VariantsPage
from kaspi_crawler.pages.walk import Ending, ListingWalk
from partners.kaspi.storefront_cities import city_slug
from partners.kaspi.storefront_listing import CARDS_A_PAGE, Listings


class ListingSpider(StorefrontSpider):
    """Find products where the site lists them, and put them on the work list.

    Listing prices are kept as hints, apart from the offers. A card that stands for a group of
    variants brings the one product that it names. Say what to read by exactly one of the first
    five arguments.

    Arguments
        category: codes of categories, separated by commas, for example "Smartphones,Men fashion",
            or @file with one a line
        search: a text to search for; the site shows no more than about 24 results of a search
        merchant: ids or addresses of merchants, separated by commas, or @file
        tree: yes: the tree of categories, in place of products
        sitemap: yes: the categories of the sitemap, in place of products
        cities: Kaspi city ids, separated by commas; default: 750000000
        depth: how many pages of 12 cards to read at most; default: all that there are
        variants: yes: read the page of every group of variants, and find all of its products
        watch: no: leave the work list as it is; default: yes
    """

    name = "listing"
    accepts = (
        "category",
        "search",
        "merchant",
        "tree",
        "sitemap",
        "cities",
        "depth",
        "variants",
        "watch",
    )

    def __init__(
        self,
        category: str | None = None,
        search: str | None = None,
        merchant: str | None = None,
        depth: str | None = None,
        cities: str | None = None,
        **told: Any,
    ) -> None:
        switches = {name: told.pop(name, None) for name in ("tree", "sitemap", "variants", "watch")}
        super().__init__(cities=cities, **told)
        wanted = {"category": category, "search": search, "merchant": merchant}
        self.tree = arguments.yes_or_no("tree", switches["tree"], default=False)
        self.sitemap = arguments.yes_or_no("sitemap", switches["sitemap"], default=False)
        self.queries = arguments.listings(wanted, tree=self.tree, sitemap=self.sitemap)
        self.depth = None if depth is None else arguments.depth(depth)
        self.variants = arguments.yes_or_no("variants", switches["variants"], default=False)
        self.watch = arguments.yes_or_no("watch", switches["watch"], default=True)
        self._groups: set[ProductId] = set()
        if self.sitemap:
            arguments.cities_of_sitemap(self.cities)

    @property
    def listings(self) -> Listings:
        """How the storefront is asked."""
        return Listings(self.storefront)

    async def questions(self) -> AsyncIterator[Request]:
        """The first page of each listing in each city, the menu, or the list of sitemaps."""
        if self.sitemap:
            yield self._ask_sitemap()
        for city in self.cities:
            if self.tree:
                yield self._ask_menu(city)
            for query in self.queries:
                longest = self.settings.getint("LISTING_MOST_PAGES")
                yield self._ask_page(
                    ListingWalk(query=query, city=city, depth=self.depth, longest=longest)
                )

    def _ask_page(self, walk: ListingWalk) -> Request:
        query, city, page = walk.query, walk.city, walk.page

        def read(heard: Heard) -> ListingPart | ListingWall | TryAgain | Unreadable:
            return ListingAnswer(heard.answer, query, city, page, heard.moment).to_item()

        inquiry = Inquiry(
            source=Source.LISTING,
            product=Topic(f"{query}, page {page}"),
            city=city,
            read=read,
            then=partial(self._take_page, walk),
            otherwise=lambda: self._walk_on(walk.pass_over()),
        )
        if page == 0:
            return self.ask(self.listings.first(query, city), inquiry)
        return self.ask(self.listings.following(query, city, page, walk.asked_as), inquiry)

    def _take_page(self, walk: ListingWalk, part: ListingPart | ListingWall, heard: Heard) -> Turn:
        if isinstance(part, ListingWall):
            yield from self._walk_on(walk.hit_wall())
            return
        if part.unreadable:
            yield self._unread(
                Source.LISTING,
                Topic(f"{walk.query}, page {walk.page}"),
                walk.city,
                heard,
                _unreadable_cards(part),
            )
        news = walk.news(part)
        if news:
            yield self._page(walk, news, part, heard)
        if part.categories:
            yield _facets(walk, part, heard)
        if self.variants:
            yield from self._ask_groups(news, walk.city)
        yield from self._walk_on(walk.add(part))

    def _page(
        self, walk: ListingWalk, news: tuple[ListedCard, ...], part: ListingPart, heard: Heard
    ) -> ListingPage:
        return ListingPage(
            query=walk.query,
            city_id=walk.city,
            page=walk.page,
            cards=news,
            total=part.total,
            watched=self.watch,
            checked_at=heard.moment,
        )

    def _walk_on(self, walk: ListingWalk) -> Turn:
        """Ask for the next page, or say how far the listing was read."""
        if walk.ending is None:
            yield self._ask_page(walk)
            return
        if walk.ending is Ending.UNREAD:
            return  # which has been told
        if walk.ending is Ending.EMPTY and not walk.held:
            codes = "; `scrapy crawl listing -a tree=yes` stores the codes that there are"
            hint = codes if walk.query.kind is ListingKind.CATEGORY else ""
            self.logger.warning("There is nothing in %s in city %s%s", walk.query, walk.city, hint)
            return
        total = "an unknown number" if walk.total is None else f"{walk.total:,}"
        self.logger.info(
            "%s in city %s: %s of %s cards were found on %d pages; it ended at %s",
            walk.query,
            walk.city,
            f"{walk.held:,}",
            total,
            walk.page,
            walk.ending,
        )
        if walk.ending is Ending.WALL and not walk.whole:
            self._tell_of_wall(walk)

    def _tell_of_wall(self, walk: ListingWalk) -> None:
        remedy = (
            "Search for a narrower text, or read a category or a merchant: those are shown whole"
            if walk.query.kind is ListingKind.SEARCH
            else "Read its categories below one by one"
        )
        self.logger.warning(
            "%s in city %s: the site shows only the first %d results. %s",
            walk.query,
            walk.city,
            walk.page * CARDS_A_PAGE,
            remedy,
        )

    def _ask_groups(self, cards: tuple[ListedCard, ...], city: CityId) -> Turn:
        """The page of each group of variants, once, however many listings show it."""
        for card in cards:
            if card.has_variants and card.card_id not in self._groups:
                self._groups.add(card.card_id)
                yield self._ask_variants(card, city)

    def _ask_variants(self, card: ListedCard, city: CityId) -> Request:
        shown = card.kaspi_id or card.card_id

        def take(variants: tuple[ProductId, ...], heard: Heard) -> Turn:
            if variants:
                yield FoundVariants(
                    card_id=card.card_id,
                    variants=variants,
                    cities=self.cities,
                    watched=self.watch,
                    checked_at=heard.moment,
                )

        inquiry = Inquiry(
            source=Source.VARIANTS,
            product=Topic(f"variants of {card.card_id}"),
            city=city,
            read=lambda heard: VariantsPage(heard.answer, card.card_id, heard.moment).to_item(),
            then=take,
        )
        return self.ask(self.storefront.product_page(shown, city), inquiry)

    def _ask_menu(self, city: CityId) -> Request:
        inquiry = Inquiry(
            source=Source.CATEGORIES,
            product=Topic("the tree of categories"),
            city=city,
            read=lambda heard: MenuPage(heard.answer, city, heard.moment).to_item(),
            then=self.hand_over,
        )
        return self.ask(self.listings.menu(city), inquiry)

    def _ask_sitemap(self) -> Request:
        inquiry = Inquiry(
            source=Source.SITEMAP,
            product=Topic("the sitemap"),
            city=None,
            read=lambda heard: SitemapIndexPage(heard.answer).to_item(),
            then=self._ask_city_sitemaps,
        )
        return self.ask(self.listings.sitemap(), inquiry)

    def _ask_city_sitemaps(self, links: dict[str, str], _heard: Heard) -> Turn:
        for city in self.cities:
            link = links.get(city_slug(city) or "")
            if link:
                yield self._ask_city_sitemap(city, link)
            else:
                self.logger.warning("The sitemap has no categories of city %s", city)

    def _ask_city_sitemap(self, city: CityId, link: str) -> Request:
        inquiry = Inquiry(
            source=Source.SITEMAP,
            product=Topic("the sitemap of categories"),
            city=city,
            read=lambda heard: CitySitemapPage(heard.answer, city, heard.moment).to_item(),
            then=self.hand_over,
        )
        return self.ask(self.listings.sitemap_of(link), inquiry)


def _facets(walk: ListingWalk, part: ListingPart, heard: Heard) -> CategoryTree:
    """The categories beside a listing. A search or a merchant has only some of their cards."""
    whole = walk.query.kind is ListingKind.CATEGORY
    told = (one if whole else attrs.evolve(one, count=None) for one in part.categories)
    return CategoryTree(
        source=CategorySource.FACETS,
        city_id=walk.city,
        categories=tuple(told),
        checked_at=heard.moment,
    )


def _unreadable_cards(part: ListingPart) -> Unreadable:
    return Unreadable("; ".join(part.unreadable), "The other cards are kept; look at the answer.")
