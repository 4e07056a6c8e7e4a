"""What is to be replayed, from the options of a command."""

import argparse
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from domain.identity import CityId, MerchantId, ProductId
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.spoken_moments import spoken_moment
from partners.kaspi.storefront_listing import NotAListing, merchant_id

_RIGHT = "A right one: scrapy replay --merchant 11271005 --strategy undercut --floor-bp 9000"
#: Before everything that is remembered.
_EVER = datetime(1, 1, 1, tzinfo=UTC)
#: Minutes from a price accepted to a price seen, as one merchant's timeline showed: 9 to 10.
LAG = 10
_MOST_MINUTES = 10_080
#: Charts of one page; more would be heavy on a phone.
CHARTS = 12

#: Options that are keys of the rule, each a whole number but for the merchant to follow.
KEYS = ("step", "floor", "ceiling", "cost", "margin", "position", "premium", "offset", "follow")
_WHOLE = re.compile("-?[0-9]{1,15}")
#: Options that are shares of a listing's first real price, in basis points.
SHARES = ("floor", "ceiling", "cost")


@attrs.frozen(kw_only=True)
class Asked:
    """What is to be replayed, and where the answer goes besides the terminal.

    `rule` holds the rule's keys, `shares` those that are shares of the first real price. `kept`:
    both are laid over the rules that are kept for the listings, of one `sku` or of all.
    """

    merchant: MerchantId
    kept: bool
    sku: str | None
    sisters: frozenset[MerchantId]
    products: tuple[ProductId, ...] | None
    cities: tuple[CityId, ...] | None
    since: datetime
    until: datetime
    rule: Mapping[str, Any]
    shares: Mapping[str, int]
    strategies: tuple[str, ...]
    lag: timedelta
    every: timedelta | None
    csv: Path | None
    html: Path | None
    charts: int


def asked(opts: argparse.Namespace, now: datetime) -> Asked:
    """The options, understood. Raises BadArgument, OSError for a rule's file."""
    if (opts.merchant is None) == (opts.store is None):
        raise BadArgument(f"merchant: say whose past, by --merchant or by --store. {_RIGHT}")
    if opts.sku is not None and opts.store is None:
        raise BadArgument("sku: an article of which --store?")
    since = _EVER if opts.since is None else spoken_moment("from", opts.since, now)
    until = now if opts.until is None else spoken_moment("to", opts.until, now)
    if until <= since:
        raise BadArgument("to: it is not after --from. A right one: --from 7d --to 1d")
    every = None if opts.every is None else _number("every", opts.every, 1, _MOST_MINUTES)
    lag = LAG if opts.lag is None else _number("lag", opts.lag, 0, _MOST_MINUTES)
    return Asked(
        merchant=_merchants("merchant", opts.merchant or opts.store)[0],
        kept=opts.store is not None,
        sku=opts.sku,
        sisters=frozenset(_merchants("sisters", opts.sisters)),
        products=None if opts.products is None else arguments.product_ids(opts.products),
        cities=None if opts.cities is None else arguments.cities(opts.cities),
        since=since,
        until=until,
        rule={**_rule(opts.rule), **_keys(opts)},
        shares={
            key: _number(f"{key}-bp", said, 1, 100_000)
            for key in SHARES
            if (said := getattr(opts, f"{key}_bp")) is not None
        },
        strategies=tuple(dict.fromkeys(opts.strategy or ())),
        lag=timedelta(minutes=lag),
        every=None if every is None else timedelta(minutes=every),
        csv=None if opts.csv is None else Path(opts.csv).expanduser(),
        html=None if opts.html is None else Path(opts.html).expanduser(),
        charts=CHARTS if opts.charts is None else _number("charts", opts.charts, 0, 1_000),
    )


def _merchants(name: str, text: str | None) -> list[MerchantId]:
    try:
        return [merchant_id(part) for part in (text or "").split(",") if text]
    except NotAListing as error:
        raise BadArgument(f"{name}: {error}") from None


def _number(name: str, text: str, least: int, most: int) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal() and least <= int(plain) <= most):
        raise BadArgument(f"{name}: {text!r} is no whole number from {least} to {most:,}")
    return int(plain)


def _keys(opts: argparse.Namespace) -> dict[str, Any]:
    """The options that are keys of the rule; what is no number is judged with the rule."""
    told = {key: getattr(opts, key) for key in KEYS}
    return {
        key: said if key == "follow" or not _WHOLE.fullmatch(said) else int(said)
        for key, said in told.items()
        if said is not None
    }


def _rule(text: str | None) -> dict[str, Any]:
    """The rule's keys, from JSON or from a file of it. Raises BadArgument, OSError."""
    import msgspec  # noqa: PLC0415

    if text is None:
        return {}
    plain = text if text.lstrip().startswith("{") else Path(text).expanduser().read_bytes()
    try:
        return msgspec.json.decode(plain, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadArgument(
            f"rule: this is no object of JSON ({error}). A right one: --rule "
            '\'{"strategy": "profit", "cost": 8000, "ceiling": 12000}\''
        ) from None
