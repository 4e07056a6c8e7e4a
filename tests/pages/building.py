"""Builds pages and answers in the storefront's formats, with invented goods."""

import json
from typing import Any

from domain.identity import CityId, ProductId
from partners.call import Answer

KETTLE = ProductId("104500100")
ALMATY = CityId("750000000")
ASTANA = CityId("710000000")
ADDRESS = "https://kaspi.kz/shop/p/-104500100/?c=750000000"


def answer(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    return Answer(
        status=status,
        body=body.encode() if isinstance(body, str) else body,
        address=ADDRESS,
        headers=headers,
    )


def to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def feature(name: str, *values: object, **more: object) -> dict[str, object]:
    return {
        "code": f"kettles*{name}",
        "name": name,
        "type": "ENUM",
        "featureValues": [{"value": value} for value in values],
        "featureUnit": None,
        "visible": True,
        **more,
    }


def item(**card: object) -> dict[str, Any]:
    """The state of an invented kettle; `card` changes or adds keys of its card."""
    return {
        "card": {
            "id": KETTLE,
            "title": "Чайник Tulpar T-200 белый",
            "createdTime": "2024-03-05T07:28:26.997+00:00",
            "shopLink": "/p/chainik-tulpar-t-200-belyi-104500100/",
            "categoryId": "01777",
            "currency": "",
            "reviewsLink": "/shop/p/chainik-tulpar-t-200-belyi-104500100/?c=710000000&v=reviews",
            "promoConditions": {
                "brand": "Tulpar",
                "categoryCodes": ["Kettles", "Kitchen", "Categories"],
                "baseProductCodes": ["[Master - Kettles][tulpar]{104500000}", "10450000b"],
                "groups": None,
            },
            "price": 8990,
            "discount": 10,
            "unitPriceBeforeDiscount": 9990,
            **card,
        },
        "galleryImages": [
            {"small": "https://images.example/1s", "large": "https://images.example/1"},
            {"small": "https://images.example/2s", "large": "https://images.example/2"},
            {"small": "https://images.example/1s", "large": "https://images.example/1"},
        ],
        "breadcrumbs": [
            {"title": "Kaspi Магазин", "link": "/shop/c/categories/", "id": "Categories"},
            {"title": "Кухня &amp; дом", "link": "/shop/c/kitchen/", "id": "Kitchen"},
            {"title": "Чайники", "link": "/shop/c/kettles/", "id": "Kettles"},
        ],
        "description": "<p>Кипятит быстро.<br />Объем &gt; 2 л</p><p>Не течет</p>",
        "specifications": [
            {
                "code": "Kettles*Main",
                "name": "",
                "position": 0,
                "features": [
                    feature("Материал", "сталь", "пластик"),
                    feature("Размер", "15.6&#34;"),
                    feature("Подсветка", "true", type="BOOLEAN", visible=False),
                    feature("Объем", "2", type="NUMBER", featureUnit={"code": "l", "name": "л"}),
                ],
            }
        ],
    }


def choice(code: str | None, *deeper: object, **characteristic: object) -> dict[str, object]:
    return {
        "productCode": code,
        "characteristic": characteristic or None,
        "matrix": list(deeper) or None,
        "available": code is not None,
    }


CONFIGURATOR = choice(
    None,
    choice(
        None,
        choice(KETTLE, id="2", title="Объем", values=[{"value": "2 л", "dimension": None}]),
        choice("104500101", id="3 л", title="Объем", values=[]),
        id="белый",
        title="Цвет",
        values=[{"value": "белый"}],
    ),
)

CITIES = (
    'BACKEND.components.citySelection = {\n citys: [{"char":"А","cityData":'
    '[{"id":"750000000","name":"Алматы"}]}],\n defaultCityID: 750000000, enable: false }'
)


def item_script(state: object, *, name: str = "BACKEND.components.item = ", after: str = "") -> str:
    text = state if isinstance(state, str) else to_json(state)
    return f'\n BACKEND.state.productId = "{KETTLE}";\n {name}{text}{after}\n'


def digital_data(region: str = ALMATY) -> str:
    website = {"region": "Алматы", "regionId": region, "type": "mobile"}
    product = {"id": KETTLE, "stock": 0, "reviewCount": 0}
    return (
        f"window.digitalData = {to_json({'version': '1.1.2', 'website': website})};\n"
        '    window.digitalData.page = { type: "product" };\n'
        f"    window.digitalData.product = {to_json(product)};"
    )


def configurator_script(configurator: object = CONFIGURATOR) -> str:
    return (
        f"BACKEND.components.configurator = {to_json(configurator)};\n"
        "        BACKEND.components.merchantShop = null\n"
    )


def ld_json(**more: object) -> str:
    return to_json(
        {
            "@context": "https://schema.org",
            "@type": "Product",
            "id": KETTLE,
            "productID": KETTLE,
            "sku": KETTLE,
            "name": "Чайник Tulpar T-200 белый",
            "brand": "Tulpar",
            "category": "Чайники",
            "description": "Кипятит быстро.",
            "image": "https://images.example/1",
            "offers": [
                {"@type": "AggregateOffer", "lowPrice": None},
                {"@type": "Offer", "price": "8990", "priceCurrency": "KZT"},
            ],
            **more,
        }
    )


def head(*, price: str = ' content="8990"', product: str = KETTLE) -> str:
    name = "Чайник Tulpar T-200 белый"
    link = "https://kaspi.kz/shop/p/chainik-tulpar-t-200-belyi-104500100/"
    return (
        f"<title>Купить {name} в Алматы – Магазин на Kaspi.kz</title>"
        f'<meta name="description" content="Kaspi Магазин - {name} в рассрочку, кредит, с Kaspi">'
        f'<meta property="og:title" content="Купить {name} в Алматы – Магазин на Kaspi.kz">'
        f'<meta property="og:url" content="{link}">'
        '<meta property="og:image" content="https://images.example/1">'
        f'<meta property="product:price:amount"{price}>'
        f'<meta property="product:retailer_item_id" content="{product}">'
        f'<link rel="canonical" href="{link}">'
    )


ORGANIZATION = '{"@context": "http://schema.org", "@type": "Organization", "name": "Kaspi Магазин"}'
BREADCRUMBS = '{"@type": "BreadcrumbList", "itemListElement": [{"position": 1}]},'


def page(
    *scripts: str, head_html: str | None = None, lds: tuple[str, ...] = (), ends: str = "</html>"
) -> str:
    """A page as the server sends it: scripts are glued to one another."""
    marked = "".join(f'<script type="application/ld+json">{text}</script>' for text in lds)
    plain = "".join(f"<script>{text}</script>" for text in scripts)
    return (
        f'<!doctype html><html lang="ru" class="no-js"><head>{head_html or ""}{marked}'
        f"</head><body>{plain}<script>BACKEND.components.reCAPTCHA = {{}};</script></body>{ends}"
    )


def whole_page(state: object | None = None, *, after: str = "") -> str:
    """A page with all three rungs."""
    return page(
        CITIES,
        item_script(item() if state is None else state, after=after),
        digital_data(),
        configurator_script(),
        head_html=head(),
        lds=(ORGANIZATION, ld_json(), BREADCRUMBS),
    )


def offer(merchant: object = "5001", price: object = 8990.0, **more: object) -> dict[str, object]:
    return {"masterSku": KETTLE, "merchantId": merchant, "price": price, **more}


def offers(*some: object, total: object = None, **more: object) -> str:
    count = len(some) if total is None else total
    return to_json({"offers": list(some), "total": count, "offersCount": count, **more})
