"""Product pages as the server sends them, before any script has run (shape recorded 2025-08)."""

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import quote

import attrs

from domain.identity import CityId, ProductId
from domain.moments import utc
from sandbox.catalogue import Card, Family, Shade, Sibling, Value
from sandbox.cities import City, city_named
from sandbox.goods import NO_BRAND
from sandbox.packing import Body, Part, part
from sandbox.shell import BOUNDARY, after_state, before_state, json_text, not_found
from sandbox.world import World

Json = Mapping[str, object]

_IMAGES = "https://resources.cdn-kaspi.kz/img/m/p"
_ROOT = ("Categories", "Kaspi Магазин")
_TAG = re.compile("<[^>]*>")
#: What opens a script with linked data; it is no boundary, for it has an attribute.
_LINKED_DATA = '</script><script type="application/ld+json">'
#: Deflate level of parts that are made once.
_THOROUGH = 6


@attrs.frozen
class _Price:
    """The price line of a card in one city, in whole tenge."""

    amount: int
    discount: int
    before: int


class PagesDesk:
    """Renders pages from the world's cards and boards; what never changes is made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before = _constant(before_state())
        self._after = _constant(after_state())
        self._missing = Body([_constant(not_found())])

    def missing(self) -> Body:
        """The page for a product that does not exist."""
        return self._missing

    def page(self, product: ProductId, city_id: CityId) -> Body | None:
        """The page of a card in a city, or None for an unknown card."""
        card = self._world.cards.get(product)
        if card is None:
            return None
        city = city_named(city_id)
        price = self._price(product, city_id)
        state = "".join(
            (
                _LINKED_DATA,
                _product_ld(card, price),
                _LINKED_DATA,
                _breadcrumbs_ld(card),
                BOUNDARY,
                _item_script(card, city, price),
                BOUNDARY,
                _digital_data(card, city),
                BOUNDARY,
                self._configurator(card, city_id),
            )
        )
        return Body([_head(card, city, price).encode(), self._before, state.encode(), self._after])

    def _price(self, product: ProductId, city: CityId) -> _Price | None:
        leader = self._world.board(product, city).leader
        if leader is None:
            return None
        seat, asked = leader
        discount = seat.discount(asked.price)
        return _Price(asked.price, discount, (seat.regular or 0) if discount else 0)

    def _configurator(self, card: Card, city: CityId) -> str:
        matrix = "null" if card.family is None else json_text(self._matrix(card.family, city))
        return f"""BACKEND.components.configurator = {matrix};
        BACKEND.components.merchantShop = null
        """

    def _matrix(self, family: Family, city: CityId) -> Json:
        """Colour × choice in two levels; goods of one colour have the choice alone."""
        rows: list[Json] = []
        for shade in family.shades:
            leaves = [self._leaf(family, sibling, city) for sibling in shade.siblings]
            rows.extend(leaves if shade.colour is None else [_shade(shade, leaves)])
        return {"productCode": None, "characteristic": None, "matrix": rows}

    def _leaf(self, family: Family, sibling: Sibling, city: CityId) -> Json:
        choice = family.kind.choice
        return {
            "productCode": sibling.id,
            "characteristic": None
            if choice is None
            else {
                "id": sibling.choice,
                "primaryImage": None,
                "title": choice.title,
                "type": choice.type,
                "attributeCodes": [choice.type, f"{family.kind.leaf}*Manufacturer size"],
                "form": choice.form,
                "values": [{"value": sibling.choice, "dimension": choice.dimension}],
            },
            "matrix": None,
            "available": self._world.board(sibling.id, city).leader is not None,
            "checkedAvailability": True,
        }


def _constant(text: str) -> Part:
    return part(text.encode(), _THOROUGH)


def _shade(shade: Shade, leaves: list[Json]) -> Json:
    return {
        "productCode": None,
        "characteristic": {
            "id": shade.colour,
            "primaryImage": _image(shade.images[0]),
            "title": "Цвет",
            "type": "Clothes*Colour",
            "attributeCodes": ["Clothes*Colour"],
            "form": "IMAGE",
            "values": [{"value": shade.colour, "dimension": None}],
        },
        "matrix": leaves,
        "available": any(leaf["available"] for leaf in leaves),
        "checkedAvailability": True,
    }


def _head(card: Card, city: City, price: _Price | None) -> str:
    image = f"{_IMAGES}/{card.images[0]}?format=gallery-large"
    name, address = escape(card.title), f"https://kaspi.kz/shop{card.path}"
    title = f"Купить {name} в {city.located} – Магазин на Kaspi.kz"
    about = (
        f"Kaspi Магазин - {name} в рассрочку, кредит, с Kaspi Red или Kaspi Gold. "
        f"Цены, характеристики, отзывы, доставка по {city.located}."
    )
    words = f"{name}, купить, кредит, Kaspi Магазин, характеристики, описание, отзывы, рейтинг"
    amount = "" if price is None else f' content="{price.amount}"'
    available = "out of stock" if price is None else "in stock"
    return (
        '<!doctype html><html lang="ru" prefix="og: http://ogp.me/ns#" class="no-js"><head>'
        f'<title>{title}</title><link rel="image_src" type="image/jpeg" href="{image}">'
        '<meta content="IE=edge" http-equiv="X-UA-Compatible">'
        '<meta name="viewport" content="width=1000"><meta name="HandheldFriendly" content="True">'
        '<meta property="og:site_name" content="Kaspi Магазин">'
        f'<meta name="title" content="{title}"><meta name="description" content="{about}">'
        f'<meta name="keywords" content="{words}"><meta property="og:description" '
        f'content="{about}"><meta property="og:locale" content="ru_KZ">'
        f'<meta property="og:title" content="{title}"><meta property="og:url" '
        f'content="{address}"><meta property="og:image" content="{image}">'
        f'<meta property="product:price:amount"{amount}>'
        '<meta property="product:price:currency" content="KZT">'
        f'<meta property="product:retailer_item_id" content="{card.id}">'
        f'<meta property="product:availability" content="{available}">'
        f'<link rel="canonical" href="{address}">'
    )


def _product_ld(card: Card, price: _Price | None) -> str:
    """Valid linked data; without offers its price is the word undefined."""
    amount = "undefined" if price is None else str(price.amount)
    available = "OutOfStock" if price is None else "InStock"
    return f"""
      {{
          "@context": "https://schema.org",
          "@type": "Product",
          "id": "{card.id}",
          "productID": "{card.id}",
          "description": {json_text(_TAG.sub(" ", card.description or ""))},
          "image": "{_IMAGES}/{card.images[0]}?format=gallery-large",
          "brand": {json_text(card.brand)},
          "name": {json_text(card.escaped_title)},
          "sku": "{card.id}",
          "category": {json_text(card.kind.path[-1][1])},
          "offers": [
            {{ "@type": "AggregateOffer", "lowPrice": null }},
            {{
              "@type": "Offer",
              "price": "{amount}",
              "priceCurrency": "KZT",
              "availability": "{available}"
            }}
          ]
      }}
      """


def _breadcrumbs_ld(card: Card) -> str:
    """Linked data that is no JSON: a comma stands behind it, as on every recorded page."""
    steps = (
        ("", _ROOT[1]),
        *((f"c/{quote(code.lower())}", title) for code, title in card.kind.path),
    )
    listed = ",".join(
        f"""{{
            "@type": "ListItem",
            "position": {position},
            "item":
            {{
            "@id": "https://kaspi.kz/shop/{link}",
            "name": {json_text(title)}
            }}
          }}"""
        for position, (link, title) in enumerate(steps, start=1)
    )
    return f"""
      {{
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement":
        [
          {listed}
        ]
      }},
    """


def _item_script(card: Card, city: City, price: _Price | None) -> str:
    return f"""
      BACKEND.state.productId = "{card.id}";
      BACKEND.components.item = {json_text(_item(card, city, price))}
    """


def _item(card: Card, city: City, price: _Price | None) -> Json:
    newer: list[Json] | None = [] if card.created_at.year >= 2024 else None
    return {
        "card": _card(card, city, price),
        "videoId": None,
        "galleryImages": [_image(location) for location in card.images],
        "endpoint": "https://kaspi.kz/shop/rest/misc/product/mobile",
        "productNavigation": _navigation(card, city),
        "breadcrumbs": [
            {"title": title, "link": f"/shop/c/{quote(code.lower())}/", "id": code}
            for code, title in (_ROOT, *card.kind.path)
        ],
        "description": card.description,
        "specifications": _specifications(card),
        "sizeTableCode": card.base_codes[0] if card.base_codes else None,
        "certificate": None,
        "richContent": None,
        "videos": newer,
        "teasers": newer,
    }


def _card(card: Card, city: City, price: _Price | None) -> Json:
    """Without offers in the city there is no price key at all, and the discount is null."""
    amount: Json = {} if price is None else {"price": price.amount}
    return {
        "id": card.id,
        "title": card.escaped_title,
        "createdTime": utc(card.created_at).isoformat(timespec="milliseconds"),
        "shopLink": card.path,
        "categoryId": card.kind.category_id,
        "currency": "",
        "reviewsLink": f"/shop{card.path}?c={city.id}&v=reviews",
        "buttonInCart": {"title": "Перейти в корзину", "description": "Товар в корзине"},
        "maxQuantity": 20,
        "unit": {
            "code": "pieces",
            "type": "PIECES",
            "measurementLiteral": "шт.",
            "countingLiteral": "шт",
            "increment": 1,
        },
        "promoConditions": {
            "brand": card.brand,
            "categoryCodes": [*(code for code, _ in reversed(card.kind.path)), _ROOT[0]],
            "baseProductCodes": card.base_codes,
            "groups": None,
        },
        "stickers": None,
        **amount,
        "discount": None if price is None else price.discount,
        "unitPriceBeforeDiscount": 0 if price is None else price.before,
    }


def _image(location: str) -> Json:
    sizes = ("small", "medium", "large")
    addresses = {size: f"{_IMAGES}/{location}?format=gallery-{size}" for size in sizes}
    return {**addresses, "location": location, "verified": None, "infographics": False}


def _navigation(card: Card, city: City) -> list[Json]:
    """Links to the category and, for goods that have a brand, to the brand."""
    leaf, title = card.kind.path[-1]
    shop, brand = f"/shop/{city.code}/c", quote(f":manufacturerName:{card.brand}")
    category = f"{shop}/{quote(leaf.lower())}"
    whole = _link("allFromCategoryLink", title, f"{category}/all/", "Все товары из категории ")
    if card.brand == NO_BRAND:
        return [whole]
    return [
        _link("allBrandLink", f"Все товары {card.brand}", f"{shop}/categories/?q={brand}", "Бренд"),
        _link("categoryBrandLink", f"{title} {card.brand}", f"{category}/?q={brand}", "Категория"),
        whole,
    ]


def _link(code: str, title: str, link: str, subtitle: str) -> Json:
    return {"code": code, "title": title, "link": link, "subtitle": subtitle}


def _specifications(card: Card) -> list[Json]:
    groups: dict[str, list[Json]] = {}
    for place, value in enumerate(card.values):
        features = groups.setdefault(value.trait.group, [])
        features.append(_feature(card.kind.leaf.lower(), value, place))
    return [
        {"code": f"{card.kind.leaf}*{name or 'Osnovnye harakteristiki'}", "name": name}
        | {"features": features, "position": place}
        for place, (name, features) in enumerate(groups.items())
    ]


def _feature(leaf: str, value: Value, place: int) -> Json:
    trait = value.trait
    return {
        "code": f"{leaf}*{trait.code}",
        "name": trait.name,
        "description": None,
        "type": trait.type,
        "range": None,
        "comparable": None,
        "featureUnit": None,
        "featureValues": [{"value": text} for text in value.values],
        "mandatory": place < 3,
        "keyAttribute": False,
        "merchantVisible": None,
        "position": place + 1,
        "visible": True,
        "multiValued": trait.several > 1,
        "important": place < 4,
        "importanceScore": None,
    }


def _digital_data(card: Card, city: City) -> str:
    """What analytics read. Its stock and reviewCount are 0 on every page: a trap."""
    site = {
        "version": "1.1.2",
        "website": {
            "environment": "PRODUCTION",
            "region": city.name,
            "regionId": city.id,
            "type": "mobile",
        },
        "page": {"category": "Add Product Review", "type": "content"},
        "cart": {"currency": "KZT", "total": 0, "subtotal": 0, "lineItems": []},
        "recommendation": [],
        "campaigns": [],
        "events": [],
        "changes": [],
    }
    product = {
        "id": card.id,
        "name": card.escaped_title,
        "currency": "KZT",
        "hasDescription": card.description is not None,
        "hasVideoReview": False,
        "category": [title for _, title in card.kind.path],
        "categoryId": card.kind.category_id,
        "url": f"/shop/{card.path}",
        "brand": card.brand,
        "stock": 0,
        "primaryImage": _image(card.images[0]),
        "reviewCount": 0,
    }
    return f"""
    window.digitalData = {json_text(site)};
    window.digitalData.page = {{ type: "product", category: "Product Detail" }};
    window.digitalData.product = {json_text(product)};

    """
