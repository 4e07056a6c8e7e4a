"""The proxies that a crawl asks through: a list, a file, or the table; named without secrets."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from scrapy.settings import BaseSettings

from kaspi_crawler.arguments import BadArgument

RIGHT = "A right one: http://user:password@203.0.113.7:8080"
#: The value of PROXIES that means the table `proxies`.
TABLE = "table"
#: What follows a lone # is a remark.
_REMARK = re.compile(r"(?:^|\s)#.*")


def configured(settings: BaseSettings) -> dict[str, str]:
    """The address of each proxy of PROXIES by its name; empty: crawls ask directly.

    Raises BadArgument with the place of the mistake, NoKey (storage.sealed) for the table, and
    what a database that is away raises.
    """
    told = settings["PROXIES"] or ""
    if isinstance(told, str) and told.strip() == TABLE:
        return in_table(settings)
    lines = told.split(",") if isinstance(told, str) else told
    return named(placed(lines))


def in_table(settings: BaseSettings) -> dict[str, str]:
    """The proxies of the table. Raises NoKey, and what a database that is away raises."""
    from storage import proxies  # noqa: PLC0415  (most crawls have none)
    from storage.ready import ready_address  # noqa: PLC0415
    from storage.sealed import unseal  # noqa: PLC0415

    address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
    key = settings["KASPI_SECRET_KEY"]
    kept = {name: unseal(sealed, key) for name, sealed in proxies.kept(address).items()}
    if not kept:
        raise BadArgument(
            f"PROXIES=table, but the table is empty. Fill it: scrapy proxies add @file. {RIGHT}"
        )
    return kept


def named(
    places: Iterable[tuple[str, str]], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Addresses by name: host:port, with #2 and so on for another user of the same proxy.

    Each address comes with its place; `known` are those that have their names. Raises BadArgument.
    """
    found: dict[str, str] = dict(known or {})
    for place, text in places:
        address = _address(place, text)
        if address in found.values():
            continue
        parts = urlsplit(address)
        name, number = f"{parts.hostname}:{parts.port}", 1
        while name in found:
            number += 1
            name = f"{parts.hostname}:{parts.port}#{number}"
        found[name] = address
    return found


def placed(words: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Each address with its place; @file, or the path of a file, stands for its lines."""
    for number, word in enumerate(words, start=1):
        text = word.strip()
        if text.startswith("@") or _is_file(text):
            yield from _lines(text.removeprefix("@"))
        elif text:
            yield f"PROXIES, number {number}", text


def _is_file(text: str) -> bool:
    return "://" not in text and ("/" in text or Path(text).is_file())


def _lines(name: str) -> Iterable[tuple[str, str]]:
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text in UTF-8"
        raise BadArgument(
            f"PROXIES: {name}: {reason}. Name a file with one proxy a line. {RIGHT}"
        ) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if told := without_remark(line):
            yield f"{name}, line {number}", told


def without_remark(line: str) -> str:
    """What a line says before its remark."""
    return _REMARK.sub("", line).strip()


def _address(place: str, text: str) -> str:
    """The address in full, or a sentence that never repeats a password."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise BadArgument(f"{place}: {_shown(text)} has no port that could be. {RIGHT}") from None
    if wrong := _wrong(parts, port):
        raise BadArgument(f"{place}: {_shown(text)} {wrong}. {RIGHT}")
    return f"http://{parts.netloc}"


def _wrong(parts: SplitResult, port: int | None) -> str:
    if parts.scheme.startswith("socks"):
        return "is a SOCKS proxy, which is not supported: ask its provider for the HTTP port"
    if parts.scheme != "http":
        return f"begins with {parts.scheme}://, a proxy's address with http://"
    if not parts.hostname or not port or re.search(r"\s", parts.netloc):
        return "is not host:port"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "goes on behind the port"
    return ""


def _shown(text: str) -> str:
    """What may be shown of an address: nothing before the last @, for it may be a password."""
    scheme, separator, rest = text.rpartition("://")
    hidden, at, host = rest.rpartition("@")
    # host:port:user:password is a way of writing that some providers have.
    host = ":".join(host.split(":")[:2]) + (":…" if host.count(":") > 1 else "")
    return f"{scheme}{separator}{'…@' if hidden or at else ''}{host}"
