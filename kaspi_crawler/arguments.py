"""What a spider may be told, checked before its first request."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from domain.identity import CityId, ProductId
from partners.kaspi.storefront import ShortLink, city_id, product_id, product_or_link

T = TypeVar("T")

_EXAMPLES = {
    "products": "-a products=102298404,106185651",
    "cities": "-a cities=750000000,710000000",
    "browser": "-a browser=auto",
}


class BrowserUse(StrEnum):
    """When a product page is read through a browser."""

    NEVER = "never"
    AUTO = "auto"
    ALWAYS = "always"


class BadArgument(ValueError):
    """An argument that cannot be used; the text names it and shows a right one."""


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
    if not text.startswith("@"):
        return [(None, part) for part in text.replace(",", " ").split()]
    path = Path(text[1:]).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadArgument(
            f"{name}: cannot read {str(path)!r}: {error}. Write a text file with one id or "
            f"address a line, and name it as -a {name}=@file"
        ) from None
    return [
        (f"{path}, line {number}", part)
        for number, line in enumerate(lines, start=1)
        for part in line.split("#", 1)[0].replace(",", " ").split()
    ]


def _several(
    name: str, items: Iterable[tuple[str | None, str]], read: Callable[[str], T]
) -> tuple[T, ...]:
    found: dict[T, None] = {}
    for place, item in items:
        try:
            found[read(item)] = None
        except ValueError as error:
            raise BadArgument(f"{name}: {f'{place}: ' if place else ''}{error}") from None
    if not found:
        raise BadArgument(f"{name}: the list is empty. A right one: {_EXAMPLES[name]}")
    return tuple(found)
