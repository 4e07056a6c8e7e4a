"""What a spider may be told, checked before its first request."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from domain.identity import CityId, MerchantId, ProductId
from domain.listing import ListingKind, ListingQuery
from kaspi_crawler.said import Said, same
from partners.kaspi.storefront import ShortLink, city_id, product_id, product_or_link
from partners.kaspi.storefront_listing import (
    category_code,
    has_sitemap,
    merchant_id,
    search_text,
)

T = TypeVar("T")

#: More pages than any listing has.
MOST_PAGES = 10_000

_EXAMPLES = {
    "products": "-a products=102298404,106185651",
    "cities": "-a cities=750000000,710000000",
    "browser": "-a browser=auto",
    "category": '-a category="Smartphones,Men fashion"',
    "search": '-a search="iphone 15"',
    "merchant": "-a merchant=11271005",
    "depth": "-a depth=5",
    "texts": "-a texts=yes",
    "minutes": "-a minutes=10",
    "stores": "-a stores=11271005",
}


class BrowserUse(StrEnum):
    """When a product page is read through a browser."""

    NEVER = "never"
    AUTO = "auto"
    ALWAYS = "always"


class Texts(StrEnum):
    """Which texts of reviews are read: none, what is new since the last time, or all anew."""

    NO = "no"
    YES = "yes"
    ALL = "all"


class BadArgument(ValueError):
    """An argument that cannot be used; the text names it and shows a right one."""

    def __init__(self, why: str | Said) -> None:
        self.why = same(why) if isinstance(why, str) else why
        super().__init__(self.why.en)


def products(text: str) -> tuple[ProductId | ShortLink, ...]:
    """Product ids, addresses or short links, separated by commas or white space; or @file.

    Each product once, in the order given. In a file, what follows # is a remark.
    Raises BadArgument.
    """
    return _several("products", _items("products", text), product_or_link)


def product_ids(text: str) -> tuple[ProductId, ...]:
    """As `products`, for who cannot follow a short link. Raises BadArgument."""
    return _several("products", _items("products", text), product_id)


def cities(text: str) -> tuple[CityId, ...]:
    """City ids (or names of large cities) separated by commas; each once, in the order given.

    Raises BadArgument.
    """
    return _several("cities", [(None, part) for part in text.split(",") if part.strip()], city_id)


def browser_use(text: str) -> BrowserUse:
    """When to use a browser: never, auto or always. Raises BadArgument."""
    try:
        return BrowserUse(text.strip().casefold())
    except ValueError:
        raise BadArgument(
            f"browser: {text!r} is none of {', '.join(BrowserUse)}. "
            f"A right one: {_EXAMPLES['browser']}"
        ) from None


def listings(
    wanted: Mapping[str, str | None], *, tree: bool, sitemap: bool
) -> tuple[ListingQuery, ...]:
    """The listings that are named by `category`, `search` or `merchant`, each once.

    Raises BadArgument unless exactly one of them is given, or in their place the tree or the
    sitemap.
    """
    said = {name: text for name, text in wanted.items() if text is not None}
    named = [*said, *(["tree"] if tree else []), *(["sitemap"] if sitemap else [])]
    if len(named) != 1:
        raise BadArgument(
            f"{', '.join(named) or 'listing'}: say one thing to read: category, search, merchant, "
            f"tree or sitemap. A right one: {_EXAMPLES['category']}"
        )
    return tuple(query for name, text in said.items() for query in _queries(name, text))


_READERS: Mapping[str, Callable[[str], str]] = {
    "category": category_code,
    "search": search_text,
    "merchant": merchant_id,
}


def _queries(name: str, text: str) -> tuple[ListingQuery, ...]:
    """A text that is searched for is one listing; the others may be several."""
    if name == "search":
        parts: list[tuple[str | None, str]] = [(None, text)]
    else:
        parts = [
            (place, part)
            for place, line in _lines(name, text)
            for part in line.split(",")
            if part.strip()
        ]
    values = _several(name, parts, _READERS[name])
    return tuple(ListingQuery(ListingKind(name), value) for value in values)


def stores(text: str) -> tuple[MerchantId, ...]:
    """Our stores' merchant ids, separated by commas; each once. Raises BadArgument."""
    found = _several("stores", _items("stores", text), merchant_id)
    return tuple(map(MerchantId, found))


def depth(text: str) -> int:
    """How many pages of a listing to read, from 1 on. Raises BadArgument."""
    wanted = text.strip()
    if not (wanted.isascii() and wanted.isdecimal() and 0 < int(wanted) <= MOST_PAGES):
        raise BadArgument(
            f"depth: {text!r} is no number of pages from 1 to {MOST_PAGES}. "
            f"A right one: {_EXAMPLES['depth']}"
        )
    return int(wanted)


def yes_or_no(name: str, text: str | None, *, default: bool) -> bool:
    """A switch. Raises BadArgument."""
    if text is None:
        return default
    said = {"yes": True, "no": False}.get(text.strip().casefold())
    if said is None:
        raise BadArgument(f"{name}: {text!r} is neither yes nor no. A right one: -a {name}=yes")
    return said


def texts(text: str | None) -> Texts:
    """Whether texts of reviews are read, and which. Raises BadArgument."""
    wanted = Texts.NO if text is None else text.strip().casefold()
    try:
        return Texts(wanted)
    except ValueError:
        raise BadArgument(
            f"texts: {text!r} is neither yes (what is new) nor all (all once more) nor no. "
            f"A right one: {_EXAMPLES['texts']}"
        ) from None


def cities_of_sitemap(cities: Iterable[CityId]) -> None:
    """Raise BadArgument for a city whose name in the sitemap we do not know."""
    for city in cities:
        if not has_sitemap(city):
            raise BadArgument(
                f"cities: it is not known how the sitemap calls city {city}. "
                "A right one: -a sitemap=yes -a cities=almaty,astana"
            )


def known(given: Mapping[str, object], accepted: tuple[str, ...]) -> None:
    """Raise BadArgument for an argument that the spider does not understand.

    Names that begin with an underscore are scrapyd's, and pass.
    """
    for name, value in given.items():
        if value is not None and not name.startswith("_") and name not in accepted:
            raise BadArgument(
                f"{name}: there is no such argument; the spider understands "
                f"{', '.join(accepted)}. A right one: {_EXAMPLES[accepted[0]]}"
            )


def _items(name: str, text: str) -> list[tuple[str | None, str]]:
    """The parts of the text, each with its place when it stands in a file."""
    return [
        (place, part)
        for place, line in _lines(name, text)
        for part in line.replace(",", " ").split()
    ]


def _lines(name: str, text: str) -> list[tuple[str | None, str]]:
    """The text, or the lines of the file that it names, each with its place and no remark."""
    if not text.startswith("@"):
        return [(None, text)]
    path = Path(text[1:]).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadArgument(
            f"{name}: cannot read {str(path)!r}: {why}. Write a text file with one id or "
            f"address a line, and name it as -a {name}=@file"
        ) from None
    return [
        (f"{path}, line {number}", line.split("#", 1)[0])
        for number, line in enumerate(lines, start=1)
    ]


def _several(
    name: str, items: Iterable[tuple[str | None, str]], read: Callable[[str], T]
) -> tuple[T, ...]:
    found: dict[T, None] = {}
    for place, item in items:
        try:
            found[read(item)] = None
        except ValueError as error:
            where = f"{name}: {place}" if place else name
            raise BadArgument(
                Said(
                    f"{where}: {error}",
                    f"{where}: {item!r} не подходит. Например: {_EXAMPLES[name]}",
                )
            ) from None
    if not found:
        raise BadArgument(f"{name}: the list is empty. A right one: {_EXAMPLES[name]}")
    return tuple(found)
