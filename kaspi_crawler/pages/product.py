"""The product page: a card read from its inline state, else from ld+json, else from its metas."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import parse_qs, urljoin, urlsplit

import attrs
import msgspec

from domain.identity import CityId, ProductId
from domain.money import DEAREST, NotMoney, Tenge, tenge
from domain.product import (
    Category,
    Characteristic,
    Feature,
    ProductCard,
    Rung,
    SpecificationGroup,
    Variant,
)
from domain.readings import ProductMissing
from kaspi_crawler.pages import product_state as raw
from kaspi_crawler.pages.forgiving import Misfit, in_utc
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable, Witness
from kaspi_crawler.pages.plain_text import plain_text, unescaped
from kaspi_crawler.pages.product_markup import LdProduct, Markup
from partners.call import Answer
from partners.kaspi.storefront import Block, BlockKind, recognise_block

#: The root of every category path, whose title is "Kaspi Магазин".
ROOT_CATEGORY = "Categories"
#: The title of the storefront's page for what it does not have (seen 2024-05).
NOT_FOUND = "Страница не найдена"

#: Either may stand on the page of a product that somebody offers, and neither on one that is out
#: of stock (29 pages recorded 2025-08).
_SAYS_A_PRICE = re.compile(
    rb"product:price:amount[\"']?\s+content=|[\"']in stock[\"']|InStock", re.IGNORECASE
)
#: Levels of the configurator; two were recorded.
_DEEPEST_CHOICE = 10

_COMPARE = "Compare the kept page with a recorded one: Kaspi has changed it."


@attrs.frozen
class ProductPage:
    """The answer to Storefront.product_page, plain or as a browser rendered it."""

    answer: Answer
    product: ProductId
    checked_at: datetime
    witness: Witness = attrs.field(factory=Witness, eq=False)
    rendered: bool = False

    def to_item(self) -> ProductCard | ProductMissing | TryAgain | Unreadable:
        """Read the card from the best rung that the page has."""
        if self.answer.status in {404, 410}:
            return self._missing()
        if self.answer.status != 200:
            return self._blocked() or self._unreadable(f"status {self.answer.status}")
        try:
            return self._from_state() or self._from_markup()
        except Misfit as misfit:
            return self._unreadable(str(misfit))

    def _missing(self) -> ProductMissing:
        return ProductMissing(kaspi_id=self.product, checked_at=self.checked_at)

    def _blocked(self) -> TryAgain | None:
        block = recognise_block(self.answer, "html")
        return None if block is None else TryAgain.after(block)

    def _unreadable(self, reason: str, remedy: str = _COMPARE) -> Unreadable:
        return Unreadable(f"{reason} (page of {self.product})", remedy)

    def _of_another(self, other: str) -> TryAgain:
        """A proxy or a cache has mixed up two answers, or the card was merged into another."""
        return TryAgain(
            "other_product",
            f"The page is that of {other} (page of {self.product}). Open the address in a browser: "
            "the product may have been replaced by that one.",
        )

    def _from_state(self) -> ProductCard | TryAgain | Unreadable | None:
        try:
            state = raw.read_state(self.answer.body, self.product, self.witness)
        except Misfit as misfit:
            if misfit.field == "price":
                raise
            return None  # no id or no title: a lower rung may have them
        if state is None or not state.item.card.title.strip():
            return None
        if state.item.card.id != self.product:
            return self._of_another(state.item.card.id)
        if _lacks_its_end(self.answer.body):
            return TryAgain.after(Block.of(BlockKind.TRUNCATED))
        return self._card_of_state(state)

    def _card_of_state(self, state: raw.PageState) -> ProductCard:
        item, card = state.item, state.item.card
        promo = card.promo_conditions or raw.PromoConditions()
        price = self._price_of_card(card)
        return ProductCard(
            kaspi_id=self.product,
            city_id=_city(state),
            name=unescaped(card.title).strip(),
            brand=_text(promo.brand) or self._brand_of_markup(),
            description=_description(item),
            category_id=card.category_id or None,
            categories=_categories(item.breadcrumbs or ()),
            image_urls=_images(item.gallery_images or (), self.answer.address),
            specifications=tuple(map(_specification, item.specifications or ())),
            variants=tuple(_variants(state.configurator, ())) if state.configurator else (),
            base_product_codes=tuple(promo.base_product_codes or ()),
            price=price,
            price_before_discount=_price_before_discount(card.unit_price_before_discount),
            discount_percent=None if price is None else card.discount,
            link=self._link(card.shop_link),
            created_at=in_utc(card.created_time),
            rung=Rung.BROWSER if self.rendered else Rung.STATE,
            checked_at=self.checked_at,
        )

    def _brand_of_markup(self) -> str | None:
        try:
            product = Markup.parse(self.answer.body).product
        except Misfit:
            return None  # its price, of which the state has a better one
        return _text(product.brand_name) if product and product.id == self.product else None

    def _price_of_card(self, card: raw.Card) -> Tenge | None:
        if card.price is not msgspec.UNSET:
            return _price(card.price)
        return self._price_of_markup() if _SAYS_A_PRICE.search(self.answer.body) else None

    def _price_of_markup(self) -> Tenge | None:
        """The price that the page says beside a state without the key: that has been renamed.

        Raises Misfit when the page says that the product is in stock, and no price.
        """
        markup = Markup.parse(self.answer.body)
        own = markup.product if markup.product and markup.product.id == self.product else None
        price = _price(own.price if own else None)
        if price is None and markup.meta_id == self.product:
            price = _price(markup.metas.get("product:price:amount"))
        if price is not None or markup.in_stock:
            self.witness.saw("missing", "card.price")
        return _in_stock(price, markup)

    def _link(self, shop_link: str | None) -> str | None:
        """The page's full address: the state's own leaves out the host and /shop."""
        if not shop_link or shop_link.startswith(("http://", "https://")):
            return shop_link or None
        site = urlsplit(self.answer.address)
        path = shop_link if shop_link.startswith("/shop/") else f"/shop{shop_link}"
        return f"{site.scheme}://{site.netloc}{path}"

    def _from_markup(self) -> ProductCard | ProductMissing | TryAgain | Unreadable:
        """The lower rungs, and what a page without any rung is."""
        self.witness.loose = True
        if _broke_off(self.answer.body):
            return TryAgain.after(Block.of(BlockKind.TRUNCATED))
        markup = Markup.parse(self.answer.body)
        if markup.product is not None and markup.product.id == self.product:
            return self._card_of_ld_json(markup, markup.product)
        if markup.meta_id == self.product and markup.meta_name:
            return self._card_of_metas(markup, markup.meta_name)
        return self._without_card(markup)

    def _without_card(self, markup: Markup) -> ProductMissing | TryAgain | Unreadable:
        if NOT_FOUND in markup.title:
            return self._missing()
        other = (markup.product and markup.product.id) or markup.meta_id or markup.link_id
        if other and other != self.product:
            return self._of_another(other)
        if markup.link and not other and b"BACKEND." in self.answer.body:
            return self._unreadable(f"no product's page but {markup.link}")
        nothing = self._unreadable("no product on the page")
        return self._blocked() or attrs.evolve(nothing, stateless=True)

    def _card_of_ld_json(self, markup: Markup, product: LdProduct) -> ProductCard:
        leaf = _text(product.category)
        return self._bare_card(
            markup,
            Rung.LD_JSON,
            name=unescaped(product.name).strip(),
            brand=_text(product.brand_name),
            description=_plain(product.description),
            categories=(Category(code="", title=leaf),) if leaf else (),
            image_urls=tuple(dict.fromkeys(product.images)),
            price=_in_stock(_price(product.price), markup),
        )

    def _card_of_metas(self, markup: Markup, name: str) -> ProductCard:
        image = markup.metas.get("og:image")
        return self._bare_card(
            markup,
            Rung.META,
            name=name,
            brand=None,
            description=None,
            categories=(),
            image_urls=(image,) if image else (),
            price=_in_stock(_price(markup.metas.get("product:price:amount")), markup),
        )

    def _bare_card(
        self,
        markup: Markup,
        rung: Rung,
        *,
        name: str,
        brand: str | None,
        description: str | None,
        categories: tuple[Category, ...],
        image_urls: tuple[str, ...],
        price: Tenge | None,
    ) -> ProductCard:
        """A card without what only the state tells."""
        region = raw.region_id(self.answer.body)
        return ProductCard(
            kaspi_id=self.product,
            city_id=CityId(region) if region else None,
            name=name,
            brand=brand,
            description=description,
            category_id=None,
            categories=categories,
            image_urls=image_urls,
            specifications=(),
            variants=(),
            base_product_codes=(),
            price=price,
            price_before_discount=None,
            discount_percent=None,
            link=markup.link,
            created_at=None,
            rung=rung,
            checked_at=self.checked_at,
        )


def lacks_state(outcome: object) -> bool:
    """Whether a page came, but not the state that is all it has to say."""
    match outcome:
        case ProductCard():
            return not outcome.rung.is_whole
        case TryAgain():
            return outcome.reason == BlockKind.EMPTY_SHELL
        case Unreadable():
            return outcome.stateless
    return False


def _broke_off(body: bytes) -> bool:
    """Whether the page ends within a script: asked again it may give more than a lower rung."""
    return b"</html" not in body[-2000:] and body.rfind(b"<script") > body.rfind(b"</script")


def _lacks_its_end(body: bytes) -> bool:
    """Whether the page ends before the siblings, which stand behind the item on every page."""
    if b"</html" in body[-2000:]:
        return False
    return _broke_off(body) or b"BACKEND.components.configurator" not in body


def _price(value: str | int | None) -> Tenge | None:
    """A price that may be absent; ld+json says "undefined" then, a meta has no content, and 0
    buys nothing.

    Raises Misfit when it is there and no whole positive number of tenge.
    """
    if value in (None, "", "undefined", "null"):
        return None
    try:
        number = msgspec.convert(value, int, strict=False)
        return tenge(number) if number else None
    except (msgspec.ValidationError, NotMoney):
        raise Misfit("price", value) from None


def _in_stock(price: Tenge | None, markup: Markup) -> Tenge | None:
    """The price; without one nobody may be said to offer the product.

    Raises Misfit when the page says that somebody does.
    """
    if price is None and markup.in_stock:
        raise Misfit("price", msgspec.UNSET)
    return price


def _price_before_discount(value: int | None) -> Tenge | None:
    """0 says that there is no discount (recorded 2025-08)."""
    return Tenge(value) if value and 0 < value <= DEAREST else None


def _text(value: str | None) -> str | None:
    """The text; the page's scripts print "undefined" for what is not there."""
    if value is None or value in {"undefined", "null"}:
        return None
    return unescaped(value).strip() or None


def _plain(markup: str | None) -> str | None:
    return plain_text(markup) if markup else None


def _city(state: raw.PageState) -> CityId | None:
    """The city really served: the page says it twice."""
    if state.region_id:
        return CityId(state.region_id)
    query = (state.item.card.reviews_link or "").partition("?")[2].partition("#")[0]
    cities = parse_qs(query).get("c")
    return CityId(cities[0]) if cities else None


def _description(item: raw.Item) -> str | None:
    """The description, else its parts: null in 27 of 29 pages recorded 2025-08."""
    parts = (_plain(part.text) for part in item.descriptions or ())
    return _plain(item.description) or "\n".join(part for part in parts if part) or None


def _categories(breadcrumbs: Iterable[raw.Breadcrumb]) -> tuple[Category, ...]:
    return tuple(
        Category(code=step.id, title=unescaped(step.title))
        for step in breadcrumbs
        if step.id != ROOT_CATEGORY
    )


def _images(images: Iterable[raw.GalleryImage], page: str) -> tuple[str, ...]:
    """The large images, each once, with whole addresses; what is none is left out."""
    whole = (_whole_address(page, image.large) for image in images if image.large)
    return tuple(dict.fromkeys(image for image in whole if image.startswith("http")))


def _whole_address(page: str, address: str) -> str:
    """The address as the page means it; empty for one that is spoilt, such as http://[."""
    try:
        return urljoin(page, address)
    except ValueError:
        return ""


def _specification(group: raw.RawSpecification) -> SpecificationGroup:
    return SpecificationGroup(
        code=group.code or "",
        name=unescaped(group.name or ""),
        features=tuple(map(_feature, group.features or ())),
    )


def _feature(feature: raw.RawFeature) -> Feature:
    values = (_shown(value.value) for value in feature.feature_values or ())
    return Feature(
        code=feature.code or "",
        name=unescaped(feature.name or ""),
        type=feature.type or "",
        values=tuple(value for value in values if value is not None),
        unit=_unit(feature.feature_unit),
    )


def _shown(value: object) -> str | None:
    """A value as text: true is "true", whether it comes as a text or not."""
    if isinstance(value, str):
        return unescaped(value)
    return msgspec.json.encode(value).decode() if isinstance(value, bool | int | float) else None


def _unit(unit: str | raw.FeatureUnit | None) -> str | None:
    if isinstance(unit, raw.FeatureUnit):
        return _text(unit.symbol or unit.name or unit.code)
    return _text(unit)


def _variants(choice: raw.Choice, path: tuple[Characteristic, ...]) -> Iterator[Variant]:
    """The leaves below a choice, each with the characteristics on the way to it."""
    if len(path) > _DEEPEST_CHOICE:
        return
    if choice.characteristic is not None:
        path = (*path, _characteristic(choice.characteristic))
    if choice.product_code and not choice.matrix:
        yield Variant(
            kaspi_id=ProductId(choice.product_code),
            characteristics=path,
            available=choice.available,
        )
    for deeper in choice.matrix or ():
        yield from _variants(deeper, path)


def _characteristic(characteristic: raw.RawCharacteristic) -> Characteristic:
    first = characteristic.values[0].value if characteristic.values else None
    value = characteristic.id if first is None else first
    return Characteristic(title=unescaped(characteristic.title or ""), value=unescaped(value or ""))
