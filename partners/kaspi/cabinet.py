"""Kaspi's merchant cabinet: how our goods are listed there, and how a price is changed.

The cabinet's interface is private: nothing of it is documented or promised. What stands here was
recorded (2025-05, 2026-08) or is used by working clients; docs/publishing.md says what that means.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import attrs
import msgspec
from msgspec import Struct

from domain.cabinet import CabinetOffer, CabinetPage, Point, Receipt, Refusal
from domain.identity import CityId, MerchantId, ProductId
from domain.moments import ALMATY, utc
from domain.money import DEAREST, Tenge
from domain.price_feed import MOST_PREORDER_DAYS
from partners.call import Answer, Call, Wanted
from partners.kaspi.storefront import USER_AGENT, Block, BlockKind, recognise_block

#: Offers that the list gives at once (the site's own page asks for 10).
LARGEST_PAGE = 100
#: Seconds for which an account is blocked after a 429 (reported twice, 2026).
BLOCK_SECONDS = 1_800

#: Pieces that our tables can count.
_MOST = 2_147_483_647
_LIST = "/bff/offer-view/list"
_PROCESS = "/pricefeed/upload/merchant/process"
_BATCH = "/pricefeed/upload/merchant/process/process/batch"


class NotACabinet(ValueError):
    """An answer that no cabinet of ours gives; the text says what was wrong, and where."""


class NothingToSell(ValueError):
    """A price for goods that no point has: pushing it could put them on sale again."""


class _Availability(Struct):
    available: str
    storeId: str  # noqa: N815  (the cabinet's spelling)
    stockCount: int | None = None  # noqa: N815
    preOrder: int | None = None  # noqa: N815
    stockSpecified: bool | None = None  # noqa: N815


class _CityPrice(Struct):
    value: Decimal
    cityId: str  # noqa: N815


class _Price(Struct):
    price: Decimal | None = None


class _OfferError(Struct):
    errorCodes: list[str] | None = None  # noqa: N815


class _Item(Struct):
    sku: str
    masterSku: str  # noqa: N815
    available: bool
    merchantUid: str | None = None  # noqa: N815
    title: str | None = None
    masterTitle: str | None = None  # noqa: N815
    model: str | None = None
    brand: str | None = None
    price: Decimal | None = None
    availabilities: list[_Availability] | None = None
    cityPrices: list[_CityPrice] | None = None  # noqa: N815
    allCityPrices: dict[str, _Price] | None = None  # noqa: N815
    points: list[str] | None = None
    updatedAt: str | None = None  # noqa: N815
    archivedAt: str | None = None  # noqa: N815
    offerError: _OfferError | None = None  # noqa: N815


class _Named(Struct):
    sku: str


class _Page(Struct):
    data: list[msgspec.Raw]
    total: int


class _Store(Struct):
    uid: str


class _Stores(Struct):
    merchants: list[_Store]


class _Queued(Struct):
    id: str


@attrs.frozen(kw_only=True)
class Cabinet:
    """The cabinet at an address, seen with a session of one account."""

    address: str
    cookies: str = attrs.field(default="", repr=False)

    def offers(
        self, store: MerchantId, page: int, *, on_sale: bool | None = None, search: str = ""
    ) -> Call:
        """Ask for a page of a store's goods, from 0: on sale, taken off, or both."""
        asked: dict[str, object] = {"m": store, "p": page, "l": LARGEST_PAGE}
        if on_sale is not None:
            asked["a"] = "true" if on_sale else "false"
        if search:
            asked["t"] = search
        return self._call("GET", f"{_LIST}?{urlencode(asked)}")

    def stores(self) -> Call:
        """Ask which stores the account sees."""
        return self._call("GET", "/s/m")

    def change_price(self, offer: CabinetOffer, prices: Mapping[CityId, Tenge]) -> Call:
        """Set prices in cities; everything else of the offer is said again as it stands.

        A point that is not named is dropped, so all are. Raises NothingToSell.
        """
        return self._call("POST", _PROCESS, change(offer, prices))

    def change_prices(self, changes: Iterable[tuple[CabinetOffer, Mapping[CityId, Tenge]]]) -> Call:
        """The same for several offers at once. Raises NothingToSell."""
        return self._call("POST", _BATCH, [change(offer, prices) for offer, prices in changes])

    def _call(self, method: str, path: str, body: object = None) -> Call:
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json, text/plain, */*",
            "Origin": "https://kaspi.kz",
            "Referer": "https://kaspi.kz/",
            "x-auth-version": "3",
        }
        if self.cookies:
            headers["Cookie"] = self.cookies
        said = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            said = json.dumps(body, ensure_ascii=False).encode()
        return Call(
            method=method, address=f"{self.address}{path}", headers=headers, body=said, wants="json"
        )


def change(offer: CabinetOffer, prices: Mapping[CityId, Tenge]) -> dict[str, Any]:
    """The body that sets prices of one offer. Raises NothingToSell.

    Stock is named only where the cabinet keeps count of it: naming it elsewhere was seen to take
    goods off sale (2026-08). With prices a city, all that were set are named again.
    """
    if not offer.has_goods:
        raise NothingToSell(
            f"{offer.sku} of {offer.store} has goods at no point: a price would put it on sale"
        )
    told = {**offer.city_prices, **prices}
    return {
        "merchantUid": offer.store,
        "sku": offer.sku,
        "model": offer.model or offer.title or offer.sku,
        "cityPrices": [{"cityId": city, "value": price} for city, price in sorted(told.items())],
        "availabilities": [_availability(point) for point in offer.points],
    }


def read_page(answer: Answer, store: MerchantId) -> CabinetPage | Receipt:
    """A page of the list, or why there is none. Raises NotACabinet for what is no list.

    An article that cannot be read is named in `unreadable`, and the others are there.
    """
    if refused := refusal(answer):
        return refused
    try:
        page = msgspec.json.decode(answer.body, type=_Page)
    except msgspec.DecodeError as error:
        raise NotACabinet(f"the list of {store} cannot be read: {error}") from error
    offers: list[CabinetOffer] = []
    unreadable: list[str] = []
    for place, raw in enumerate(page.data):
        try:
            offers.append(_offer(raw, store, place))
        except NotACabinet as error:
            unreadable.append(str(error))
    return CabinetPage(offers=tuple(offers), total=page.total, unreadable=tuple(unreadable))


def read_stores(answer: Answer) -> tuple[MerchantId, ...]:
    """The stores that the account sees; none for any other answer."""
    if refusal(answer):
        return ()
    try:
        told = msgspec.json.decode(answer.body, type=_Stores)
    except msgspec.DecodeError:
        return ()
    return tuple(MerchantId(one.uid) for one in told.merchants)


def read_receipts(answer: Answer, count: int) -> Sequence[Receipt]:
    """What became of `count` pushed prices, in their order.

    An answer that is none of the known ones accepts nothing: it may have been queued, and only
    reading our own offer back tells.
    """
    if refused := refusal(answer):
        return [refused] * count
    try:
        queued = msgspec.json.decode(answer.body, type=list[_Queued] | _Queued)
    except msgspec.DecodeError as error:
        return [Receipt(refusal=Refusal.NOT_A_CABINET, detail=str(error))] * count
    numbers = queued if isinstance(queued, list) else [queued]
    if len(numbers) != count:
        detail = f"{len(numbers)} receipts for {count} prices"
        return [Receipt(refusal=Refusal.NOT_A_CABINET, detail=detail)] * count
    return [Receipt(number=one.id) for one in numbers]


def refusal(answer: Answer) -> Receipt | None:
    """Why the cabinet refused, None for an answer to be read."""
    kind = answer.headers.get("content-type", "")
    is_page = "html" in kind or answer.body[:64].lstrip()[:1] == b"<"
    if answer.status == 429:
        pause = answer.headers.get("retry-after", "")
        seconds = int(pause) if pause.isdigit() else BLOCK_SECONDS
        return Receipt(refusal=Refusal.BLOCKED, detail="429", pause=seconds)
    if answer.status == 200 and not is_page:
        return None
    return Receipt(refusal=_why(answer.status, is_page=is_page), detail=_said(answer, is_page))


def address_block(answer: Answer, wants: Wanted | None) -> Block | None:
    """How the cabinet refused the address that asked, or None when it did not.

    Of the account it speaks in JSON, or with a status alone: the session is gone, a store is not
    the account's, too many prices were pushed. That is no fault of an exit.
    """
    if answer.status == 401 or 300 <= answer.status < 400:
        return None
    is_page = answer.body.lstrip()[:1] == b"<"
    if answer.status == 403 and not is_page:
        return None
    if answer.status == 429 and ("/pricefeed/" in answer.address or not is_page):
        return None
    if answer.status in {400, 404}:
        return Block.of(BlockKind.HTML_INSTEAD_OF_JSON) if wants == "json" and is_page else None
    return recognise_block(answer, wants)


def is_signed_out(answer: Answer, accounts: str) -> bool:
    """Whether the answer says that the session is gone: 401, or the way to `accounts`."""
    if answer.status == 401:
        return True
    way = answer.headers.get("location", "")
    return 300 <= answer.status < 400 and ("/oauth2/" in way or way.startswith(accounts))


def _why(status: int, *, is_page: bool) -> Refusal:
    if status == 401 or 300 <= status < 400:
        return Refusal.SESSION_GONE
    if is_page:
        return Refusal.NOT_A_CABINET
    if status == 403:
        return Refusal.FORBIDDEN
    return Refusal.UNAVAILABLE if status >= 500 else Refusal.REJECTED


def _said(answer: Answer, is_page: bool) -> str:
    if is_page:
        return f"{answer.status}: a page"
    return f"{answer.status}: {answer.body[:200].decode(errors='replace')}"


def _availability(point: Point) -> dict[str, Any]:
    told: dict[str, Any] = {
        "available": "yes" if point.available else "no",
        "storeId": point.id,
    }
    if point.stock is not None:
        told["stockCount"] = point.stock
    if point.preorder_days:
        told["preOrder"] = point.preorder_days
    return told


def _offer(raw: msgspec.Raw, store: MerchantId, place: int) -> CabinetOffer:
    try:
        item = msgspec.json.decode(raw, type=_Item)
    except msgspec.DecodeError as error:
        named = f"item {place}{_sku_of(raw)}"
        raise NotACabinet(f"{named} of the list of {store} cannot be read: {error}") from error
    if item.merchantUid not in {None, store}:
        raise NotACabinet(f"item {place} is of {item.merchantUid}, asked was {store}")
    try:
        return _read(item, store)
    except NotACabinet as error:
        raise NotACabinet(f"item {place} ({item.sku}) of the list of {store}: {error}") from error


def _sku_of(raw: msgspec.Raw) -> str:
    """The article of an item that is spoilt elsewhere."""
    try:
        return f" ({msgspec.json.decode(raw, type=_Named).sku})"
    except msgspec.DecodeError:
        return ""


def _read(item: _Item, store: MerchantId) -> CabinetOffer:
    if not (item.sku and item.sku.isprintable() and item.masterSku.isdigit()):
        raise NotACabinet("its article or its product is none")
    return CabinetOffer(
        store=store,
        sku=item.sku,
        kaspi_id=ProductId(item.masterSku),
        title=item.masterTitle or item.title,
        model=item.model,
        brand=item.brand,
        price=_tenge(item.price),
        city_prices=_prices((one.cityId, one.value) for one in item.cityPrices or ()),
        prices=_prices((city, one.price) for city, one in (item.allCityPrices or {}).items()),
        points=tuple(_point(one) for one in item.availabilities or ()),
        on_sale=item.available,
        errors=tuple((item.offerError and item.offerError.errorCodes) or ()),
        updated_at=_moment(item.updatedAt),
        archived_at=_moment(item.archivedAt),
    )


def _point(said: _Availability) -> Point:
    counts = bool(said.stockSpecified)
    stock, days = said.stockCount if counts else None, said.preOrder or 0
    if not said.storeId or not 0 <= days <= MOST_PREORDER_DAYS or not 0 <= (stock or 0) <= _MOST:
        raise NotACabinet(f"point {said.storeId!r} has {stock} pieces, {days} days of preorder")
    return Point(
        id=said.storeId, available=said.available == "yes", stock=stock, preorder_days=days
    )


def _prices(said: Iterable[tuple[str, Decimal | None]]) -> dict[CityId, Tenge]:
    found = {CityId(city): _tenge(price) for city, price in said}
    return {city: price for city, price in found.items() if price is not None}


def _tenge(amount: Decimal | None) -> Tenge | None:
    """Whole tenge, which other answers of the marketplace write as 8699.0.

    Goods that are off sale are said to cost 0, which is no price. Raises NotACabinet for a part of
    a tenge, and what no goods cost.
    """
    if amount is not None and (not 0 <= amount <= DEAREST or amount != int(amount)):
        raise NotACabinet(f"{amount} is not a whole number of tenge")
    return Tenge(int(amount)) if amount else None


def _moment(text: str | None) -> datetime | None:
    """A moment with its zone, or without one in Almaty's time, as the cabinet mixes them."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(_to_microseconds(text))
    except ValueError:
        return None
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=ALMATY)).astimezone(UTC)


def _to_microseconds(text: str) -> str:
    """Python 3.11 reads three or six digits of a second; the cabinet sends any number of them."""
    head, point, tail = text.partition(".")
    if not point:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits].ljust(6, '0')[:6]}{tail[digits:]}"
