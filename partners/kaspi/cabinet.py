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

#: What is no JSON: also bytes that are no UTF-8.
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError)
#: Pieces that our tables can count.
_MOST = 2_147_483_647
_LIST = "/bff/offer-view/list"
_PROCESS = "/pricefeed/upload/merchant/process"
_BATCH = "/pricefeed/upload/merchant/process/process/batch"


class NotACabinet(ValueError):
    """An answer that no cabinet of ours gives; the text says what was wrong, and where."""


class NothingToSell(ValueError):
    """A price for goods that no point has: pushing it could put them on sale again."""


#: Codes and counts are read as they are written elsewhere in the marketplace: 5, 5.0 or "5".
_Code = str | int


class _Availability(Struct):
    available: str
    storeId: _Code  # noqa: N815  (the cabinet's spelling)
    stockCount: Decimal | None = None  # noqa: N815
    preOrder: Decimal | None = None  # noqa: N815
    stockSpecified: bool | None = None  # noqa: N815


class _CityPrice(Struct):
    value: Decimal
    cityId: _Code  # noqa: N815


class _Price(Struct):
    price: Decimal | None = None


class _OfferError(Struct):
    errorCodes: list[str] | None = None  # noqa: N815


class _Item(Struct):
    sku: _Code
    masterSku: _Code  # noqa: N815
    available: bool
    merchantUid: _Code | None = None  # noqa: N815
    title: str | None = None
    masterTitle: str | None = None  # noqa: N815
    model: str | None = None
    brand: str | None = None
    price: Decimal | None = None
    availabilities: list[_Availability] | None = None
    cityPrices: list[_CityPrice] | None = None  # noqa: N815
    allCityPrices: dict[str, _Price | None] | None = None  # noqa: N815
    updatedAt: str | None = None  # noqa: N815
    archivedAt: str | None = None  # noqa: N815
    offerError: _OfferError | None = None  # noqa: N815


class _Named(Struct):
    sku: _Code


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
    """The cabinet at an address, seen with a session of one account.

    `names_base`: a push says the price for all cities, too (clients disagree on whether it must).
    """

    address: str
    cookies: str = attrs.field(default="", repr=False)
    names_base: bool = False

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
        return self._call("POST", _PROCESS, self._change(offer, prices))

    def change_prices(self, changes: Iterable[tuple[CabinetOffer, Mapping[CityId, Tenge]]]) -> Call:
        """The same for several offers at once. Raises NothingToSell."""
        told = [self._change(offer, prices) for offer, prices in changes]
        return self._call("POST", _BATCH, told)

    def base_price(self, offer: CabinetOffer, prices: Mapping[CityId, Tenge]) -> Tenge | None:
        """The price for all cities that a push says beside these; None where it says none.

        It stays as it stands, but is never said again below the lowest of the new prices: a live
        price that is too low must not be repeated by our hand.
        """
        if not self.names_base or offer.price is None:
            return None
        return max(offer.price, min(prices.values(), default=offer.price))

    def _change(self, offer: CabinetOffer, prices: Mapping[CityId, Tenge]) -> dict[str, Any]:
        told = change(offer, prices)
        base = self.base_price(offer, prices)
        return told if base is None else {**told, "price": base}

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
    except _NO_JSON as error:
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
    except _NO_JSON:
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
    except _NO_JSON as error:
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
    except _NO_JSON as error:
        named = f"item {place}{_sku_of(raw)}"
        raise NotACabinet(f"{named} of the list of {store} cannot be read: {error}") from error
    if item.merchantUid is not None and str(item.merchantUid) != store:
        raise NotACabinet(f"item {place} is of {item.merchantUid}, asked was {store}")
    try:
        return _read(item, store)
    except NotACabinet as error:
        raise NotACabinet(f"item {place}{_sku_of(raw)} of the list of {store}: {error}") from error


def _sku_of(raw: msgspec.Raw) -> str:
    """The article of an item that is spoilt elsewhere."""
    try:
        sku = str(msgspec.json.decode(raw, type=_Named).sku)
    except _NO_JSON:
        return ""
    return f" ({sku if sku.isprintable() else repr(sku)})"


def _read(item: _Item, store: MerchantId) -> CabinetOffer:
    sku, product = str(item.sku), str(item.masterSku)
    if not (sku.strip() and sku.isprintable() and product.isascii() and product.isdigit()):
        raise NotACabinet(f"its article {sku!r} or its product {product!r} is none")
    all_cities = (item.allCityPrices or {}).items()
    return CabinetOffer(
        store=store,
        sku=sku,
        kaspi_id=ProductId(product),
        title=item.masterTitle or item.title,
        model=item.model,
        brand=item.brand,
        price=_tenge(item.price),
        city_prices=_prices((str(one.cityId), one.value) for one in item.cityPrices or ()),
        prices=_prices((city, one.price if one else None) for city, one in all_cities),
        points=_once(map(_point, item.availabilities or ())),
        on_sale=item.available,
        errors=tuple((item.offerError and item.offerError.errorCodes) or ()),
        updated_at=_moment(item.updatedAt),
        archived_at=_moment(item.archivedAt),
    )


def _point(said: _Availability) -> Point:
    """A word that is neither yes nor no would close the point with the next price."""
    point = str(said.storeId).strip()
    if not point:
        raise NotACabinet("one of its points has no code (storeId)")
    if said.available not in {"yes", "no"}:
        raise NotACabinet(f"point {point!r} is available {said.available!r}, expected yes or no")
    stock = _whole(said.stockCount) if said.stockSpecified else None
    days = _whole(said.preOrder) or 0
    if not 0 <= days <= MOST_PREORDER_DAYS or not 0 <= (stock or 0) <= _MOST:
        raise NotACabinet(f"point {point!r} has {stock} pieces, {days} days of preorder")
    return Point(id=point, available=said.available == "yes", stock=stock, preorder_days=days)


def _once(said: Iterable[Point]) -> tuple[Point, ...]:
    """Each point once. Raises NotACabinet when two disagree."""
    points: dict[str, Point] = {}
    for point in said:
        if points.setdefault(point.id, point) != point:
            raise NotACabinet(f"point {point.id!r} stands twice, and differs")
    return tuple(points.values())


def _prices(said: Iterable[tuple[str, Decimal | None]]) -> dict[CityId, Tenge]:
    found: dict[CityId, Tenge] = {}
    for city, amount in said:
        price = _tenge(amount)
        if not city.strip():
            raise NotACabinet(f"a price of {amount} has no city")
        if price is not None and found.setdefault(CityId(city), price) != price:
            raise NotACabinet(f"city {city} has two prices, {found[CityId(city)]} and {price}")
    return found


def _whole(count: Decimal | None) -> int | None:
    if count is not None and (not count.is_finite() or count != int(count)):
        raise NotACabinet(f"{count} is not a whole number")
    return None if count is None else int(count)


def _tenge(amount: Decimal | None) -> Tenge | None:
    """Whole tenge, which other answers of the marketplace write as 8699.0.

    Goods that are off sale are said to cost 0, which is no price. Raises NotACabinet for a part of
    a tenge, and what no goods cost.
    """
    if amount is None:
        return None
    if amount.is_nan() or not 0 <= amount <= DEAREST or amount != int(amount):
        raise NotACabinet(f"{amount} is not a whole number of tenge")
    return Tenge(int(amount)) or None


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
