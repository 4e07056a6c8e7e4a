"""What is the same on every page: scripts, the city block, the header, the dialog, the footer.

Written afresh after pages recorded 2025-08: the order of the scripts and their nine boundaries
before the item are the marketplace's, as are the sizes; icons are invented strokes.
"""

from functools import cache
from random import Random
from urllib.parse import quote

import msgspec

from sandbox.cities import cities, selection

#: Between two scripts without attributes: readers count these.
BOUNDARY = "</script><script>"

_STATIC = "https://ks-static.cdn-kaspi.kz/shop/front/sa/stable/desktop"

_ORGANIZATION = """<script type="application/ld+json">
      {
        "@context": "http://schema.org",
        "@type": "Organization",
        "logo": "https://resources.cdn-kaspi.kz/medias/sys_master/images/images/logo.jpg",
        "email": "shop@example.kz",
        "name": "Kaspi Магазин",
        "url": "https://kaspi.kz/shop/",
        "sameAs": [
          "https://www.instagram.com/kaspi.kz"
        ]
      }
  """

_SENTRY = """window.sentryConfig = {
            "dsn": "",
            "release": "v143.4",
            "pageMode": "product",
            "environment":"production",
            "ssr_release": "v1.19.13",
            "ignoreErrors": ["Java object is gone","Java bridge method invocation error"],
            "performance": true,
            "tracesSampleRate": 0.2,
            "sampleRate": 1
          };"""

_SENTRY_AGAIN = f"""window.sentryConfig = {{
            "dsn": "",
            "release": "v143.4",
            "environment":"production",
            "ssr_release": "v1.19.13"
          }};</script><script src="{_STATIC}/public_path.js"></script>\
<script src="{_STATIC}/scripts/utilities.0123456789abcdef0123.js">"""

_CONSTANTS = """
              window.BACKEND = window.BACKEND || {state: {}, config: {}, components: {}};
              window.BACKEND.config.constants = window.BACKEND.config.constants || {};
              window.BACKEND.config.constants.frontContextPath = "/shop";
            """

_PRELOADS = """function getCookie(name) {
  const value = `; ${document.cookie}`;
  const parts = value.split(`; ${name}=`);
  if (parts.length === 2) return parts.pop().split(';').shift();
}
const group = getCookie('ks.tg') || null;
const preloads = [{parentTagName: 'head', tagName: 'script', attrs: {
  src: `/shop/ab/tests/script?pt=ITEMS&ui=DESKTOP&tg=${group}`
}}];
preloads.forEach(function (item) {
  var node = document.createElement(item.tagName);
  for (var key in item.attrs) { node.setAttribute(key, item.attrs[key]); }
  document.getElementsByTagName(item.parentTagName)[0].appendChild(node);
});
"""

_FORM = """BACKEND.config.contextPath = '/shop';
    BACKEND.config.language = 'ru';

    BACKEND.components.form = {
      kzPhoneOperators: [700,701,702,705,707,708,747,771,775,776,777,778],
      ruPhoneOperators: [900,901,902,903,904,905,906,908,909,910,911,912],
    };
  """

_AUTOLOAD = """
          window.BACKEND.config.constants = window.BACKEND.config.constants || {};
          window.BACKEND.config.constants.autoloadBottomValue = 100;
        """

_REDESIGN = """
    window.BACKEND.config.constants.isItemViewRedesign = true;
    window.BACKEND.config.constants.isRedesign = true;
  """

_COVERS = """
          window.BACKEND.config.constants = window.BACKEND.config.constants || {};
          window.BACKEND.config.constants.configuratorBackdropRestrictedCategories = \
["Shoes","Fashion"];
          window.BACKEND.config.constants.initProductCover = {enabled: true};
          window.BACKEND.config.constants.showRichContent = true;
        """

#: The shop's root categories as its menu names them (seen 2026-01).
ROOTS = (
    ("Smartphones and gadgets", "Телефоны и гаджеты"),
    ("Home equipment", "Бытовая техника"),
    ("TV_Audio", "ТВ, Аудио, Видео"),
    ("Computers", "Компьютеры"),
    ("Furniture", "Мебель"),
    ("Beauty care", "Красота, здоровье"),
    ("Child goods", "Детские товары"),
    ("Pharmacy", "Аптека"),
    ("Construction and repair", "Строительство, ремонт"),
    ("Sports and outdoors", "Спорт, туризм"),
    ("Leisure", "Досуг, книги"),
    ("Car goods", "Автотовары"),
    ("Jewelry and Bijouterie", "Украшения"),
    ("Fashion accessories", "Аксессуары"),
    ("Fashion", "Одежда"),
    ("Shoes", "Обувь"),
    ("Pet goods", "Товары для животных"),
    ("Home", "Товары для дома и дачи"),
    ("Gifts and party supplies", "Подарки, товары для праздников"),
    ("Office and school supplies", "Канцелярские товары"),
)


def before_state() -> str:
    """From the stylesheets to the product's ld+json: eight of the nine boundaries lie here."""
    scripts = (_SENTRY, _SENTRY_AGAIN, _CONSTANTS, _PRELOADS, _FORM, _AUTOLOAD, "", selection())
    styles = "".join(
        f'<link rel="stylesheet" href="{_STATIC}/{name}.css">'
        for name in ("styles/app.0123456789abcdef0123", "fonts/roboto/fonts")
    )
    return styles + _ORGANIZATION + BOUNDARY + BOUNDARY.join(scripts)


def after_state() -> str:
    """From the script after the configurator to the end of the document."""
    return "".join(
        (
            BOUNDARY.join(("", _REDESIGN, _COVERS)),
            f'</script><link rel="stylesheet" href="{_STATIC}/styles/item-page.0123456789.css">',
            "</head><body>",
            body("Карточка товара"),
            "<script>window.urqlData = {}",
            BOUNDARY,
            "BACKEND.components.reCAPTCHA = {};</script>",
            f'<script src="{_STATIC}/scripts/app.0123456789abcdef0123.js"></script></body></html>',
        )
    )


def not_found() -> str:
    """A whole page for what is not there; its title was seen 2024-05, its body is ours."""
    return (
        '<!doctype html><html lang="ru" class="no-js"><head>'
        "<title>Страница не найдена | Kaspi Магазин</title>"
        '<meta name="robots" content="noindex"></head><body>'
        + body("Такой страницы не существует")
        + "</body></html>"
    )


def body(heading: str) -> str:
    """What a browser shows before any script has run: no price, no offers, no products."""
    return (
        '<noscript><div class="warning"><div class="warning__inner">Для корректной работы сайта '
        "Вам необходимо включить JavaScript в настройках браузера.</div></div></noscript>"
        '<div id="page" data-currency-iso-code="KZT" class="layout">'
        f'<header class="header">{_icons(30)}<div>Мой город:</div></header>'
        f'<nav class="nav"><ul class="nav__list">{_menu()}</ul></nav>'
        f'<div class="mount-item-view"><h2>{heading}</h2></div>{_dialog()}'
        f'<footer class="footer">{_icons(8)}</footer></div>'
    )


#: What the menu offers below each root category.
_SHELVES = ("Хиты продаж", "Новинки", "Скидки", "Рассрочка 0-0-12", "Доставка сегодня")


def _menu() -> str:
    return "".join(
        f'<li data-category="{code}" class="nav__el"><a href="/shop/c/{quote(code.lower())}/" '
        f'class="nav__el-link"><span class="nav__el-link-text">{title}</span></a>'
        f'<div class="nav__sub">{_shelves(code)}</div></li>'
        for code, title in ROOTS
    )


def _shelves(code: str) -> str:
    return "".join(
        f'<div class="nav__sub-el"><div class="nav__sub-el-icon"></div><a '
        f'href="/shop/c/{quote(code.lower())}/?shelf={number}" class="nav__sub-el-link">{title}'
        "</a></div>"
        for number, title in enumerate(_SHELVES)
    )


def _dialog() -> str:
    entries = "".join(
        '<li class="current-location__dialog-list-el "><a '
        f'data-city-id="{city.id}" href="/shop/{city.code}/" '
        f'class="current-location__dialog-list-link">{city.name}</a></li>'
        for city in cities()
    )
    return f'<ul class="current-location__dialog-list">{entries}</ul>'


@cache
def _icons(amount: int) -> str:
    """Inline drawings, as many and as long as the real ones."""
    random = Random(amount)  # noqa: S311 - only their length matters
    return "".join(
        f'<img alt="" src="data:image/svg+xml,{_drawing(random)}">' for _ in range(amount)
    )


def _drawing(random: Random) -> str:
    strokes = "".join(
        f"C{random.randrange(32_000) / 1000} {random.randrange(32_000) / 1000}" for _ in range(90)
    )
    return f"%3csvg viewBox='0 0 32 32'%3e%3cpath d='M16 0.5{strokes}Z'/%3e%3c/svg%3e"


def json_text(value: object) -> str:
    """A value as the page's scripts carry it: compact, with Cyrillic letters as they are."""
    return msgspec.json.encode(value).decode()
