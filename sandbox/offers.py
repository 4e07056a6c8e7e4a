"""The offers API as it answered in 2025 and 2026: its limits, its errors and its ordering trap."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs
import msgspec
from msgspec import UNSET, Struct, UnsetType

from domain.identity import CityId, ProductId
from domain.moments import ALMATY, utc
from sandbox.boards import Board, Delivery, Seat
from sandbox.packing import Body
from sandbox.rivals import Quote
from sandbox.world import World

#: More than this in one answer is refused with 400 (seen 2025-10, 2025-12 and 2026-09).
MOST = 64
#: What an unknown card gets, with status 200 (seen 2026-09).
_NOTHING = b'{"offers":[],"total":0,"offersCount":0}'


class BadRequest(ValueError):
    """A request that the marketplace answers with 400."""


@attrs.frozen
class Asked:
    """What a request wants: everything when `limit` is None, dearest first unless `ascending`.

    Faults: the board has `moved` on by so many places, a page has `repeated` offers before it.
    """

    city: CityId
    limit: int | None
    page: int
    ascending: bool
    moved: int = 0
    repeated: int = 0


class Option(Struct, rename="camel"):
    """One entry of `deliveryOptions` (seen in code 2025-06 to 2026)."""

    delivery: str
    kd_pickup_date: str
    delivery_type: str
    located_in_point: str
    kaspi_delivery: bool
    inter_city: bool
    delivery_cost: float | UnsetType = UNSET


class Line(Struct, rename="camel", kw_only=True):
    """One offer in the order of the keys recorded 2026-09; unset keys are left out.

    Prices are whole tenge that the wire writes as 361788.0.
    """

    master_sku: str
    master_category: str
    merchant_id: str
    merchant_name: str
    merchant_sku: str
    merchant_reviews_quantity: int | UnsetType
    merchant_rating: float | UnsetType
    merchant_segment_id: int | UnsetType
    title: str
    price: float
    price_minus_bonus: float | UnsetType
    price_before_discount: float | UnsetType
    discount: int | UnsetType
    purchase_count: int | UnsetType
    delivery: str
    delivery_moved_by_slot: bool
    kd_pickup_date: str
    availability_date: str
    pickup: str | UnsetType
    kaspi_delivery: bool
    kd_points: list[str]
    points_with_availability: list[str] | UnsetType
    preorder: int
    located_in_point: str
    delivery_type: str
    delivery_duration: str
    delivery_options: dict[str, Option] | UnsetType
    postomat: str | UnsetType


def read_request(body: bytes) -> Asked:
    """Understand a request's body. Raises BadRequest for what the marketplace refuses."""
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("cityId"), str | int):
        raise BadRequest("no cityId")
    limit, page = asked.get("limit"), asked.get("page")
    if limit is not None and not (type(limit) is int and 0 < limit <= MOST):
        raise BadRequest(f"limit {limit!r} is not 1 to {MOST}")
    if page is not None and not (type(page) is int and page >= 0):
        raise BadRequest(f"page {page!r} is not a page")
    ascending = asked.get("sortOption") == "PRICE" or asked.get("sort") is True
    return Asked(CityId(str(asked["cityId"])), limit, page or 0, ascending)


def spring_error(status: int, error: str, path: str, moment: datetime) -> bytes:
    """The body of a refusal: 405 as recorded 2025-06, 400 in the same shape."""
    said = {"timestamp": stamp(moment), "status": status, "error": error, "path": path}
    return msgspec.json.encode(said)


def stamp(moment: datetime) -> str:
    """A moment as the API writes it: 2026-09-18T19:00:00.000+00:00."""
    return utc(moment).isoformat(timespec="milliseconds")


@attrs.define
class OffersDesk:
    """Answers requests from the world's boards, and keeps answers until the world moves."""

    world: World
    _edition: int = -1
    _kept: dict[tuple[ProductId, Asked], Body] = attrs.Factory(dict)
    _lines: dict[int, list[bytes]] = attrs.Factory(dict)

    def answer(self, product: ProductId, asked: Asked) -> Body:
        """The answer's body; an unknown card gets an empty one."""
        self._forget_old_editions()
        kept = self._kept.get((product, asked))
        if kept is None:
            kept = self._kept[product, asked] = Body([self._compose(product, asked)])
        return kept

    def _forget_old_editions(self) -> None:
        if self._edition != self.world.edition:
            self._edition = self.world.edition
            self._kept.clear()
            self._lines.clear()

    def _compose(self, product: ProductId, asked: Asked) -> bytes:
        if product not in self.world.cards:
            return _NOTHING
        lines = self._lines_of(self.world.board(product, asked.city))
        if not lines:
            return _NOTHING
        ordered = lines if asked.ascending else lines[::-1]
        size = asked.limit or len(lines)
        ordered = ordered[asked.moved :] + ordered[: asked.moved]
        first = max(0, asked.page * size - asked.repeated)
        return _envelope(ordered[first : (asked.page + 1) * size], len(lines))

    def _lines_of(self, board: Board) -> list[bytes]:
        """All offers of a board, encoded, cheapest first."""
        lines = self._lines.get(id(board))
        if lines is None:
            leaf, now = self.world.cards[board.product].kind.leaf, self.world.now
            made = (_line(board.product, leaf, seat, quote, now) for seat, quote in board.standing)
            lines = self._lines[id(board)] = [msgspec.json.encode(line) for line in made]
        return lines


def _envelope(lines: Sequence[bytes], total: int) -> bytes:
    count = b'],"total":%d,"offersCount":%d,"pcmResponsePresent":false}' % (total, total)
    return b'{"offers":[' + b",".join(lines) + count


def _line(product: ProductId, leaf: str, seat: Seat, quote: Quote, now: datetime) -> Line:
    merchant, delivery = seat.merchant, seat.delivery
    dates = _Dates(now, delivery, quote.preorder)
    discount = seat.discount(quote.price)
    return Line(
        master_sku=product,
        master_category=f"Master - {leaf}",
        merchant_id=merchant.id,
        merchant_name=merchant.name,
        merchant_sku=seat.merchant_sku,
        merchant_reviews_quantity=UNSET if merchant.reviews is None else merchant.reviews,
        merchant_rating=UNSET if merchant.rating is None else merchant.rating / 10,
        merchant_segment_id=merchant.segment if seat.bonus else UNSET,
        title=seat.title,
        price=float(quote.price),
        price_minus_bonus=_less(quote.price, seat.bonus) if seat.bonus else UNSET,
        price_before_discount=float(seat.regular) if seat.regular and discount else UNSET,
        discount=discount or UNSET,
        purchase_count=seat.purchases or UNSET,
        delivery=stamp(dates.to_door),
        delivery_moved_by_slot=False,
        kd_pickup_date=stamp(dates.handed_over),
        availability_date=stamp(dates.available),
        pickup=stamp(dates.pickup) if delivery.pickup else UNSET,
        kaspi_delivery=delivery.by_kaspi,
        kd_points=[seat.point],
        points_with_availability=[seat.point] if delivery.pickup else UNSET,
        preorder=quote.preorder,
        located_in_point=seat.point,
        delivery_type=delivery.type,
        delivery_duration=dates.duration,
        delivery_options=_options(seat, dates) if delivery.options else UNSET,
        postomat=stamp(dates.postomat) if delivery.postomat else UNSET,
    )


def _less(price: int, percent: int) -> float:
    return float(price - price * percent // 100)


def _options(seat: Seat, dates: "_Dates") -> dict[str, Option]:
    delivery = seat.delivery
    kinds = {"TO_DOOR": dates.to_door, "PICKUP": dates.pickup, "POSTOMAT": dates.postomat}
    here = {"PICKUP": delivery.pickup, "POSTOMAT": delivery.postomat}
    return {
        kind: Option(
            delivery=stamp(moment),
            kd_pickup_date=stamp(dates.handed_over),
            delivery_type=kind,
            located_in_point=seat.point,
            kaspi_delivery=delivery.by_kaspi,
            inter_city=delivery.inter_city,
            delivery_cost=_cost(kind, delivery.cost),
        )
        for kind, moment in kinds.items()
        if here.get(kind, True)
    }


def _cost(kind: str, cost: int | None) -> float | UnsetType:
    """Only the way to the door is paid for; often the answer does not say."""
    if kind != "TO_DOOR" or cost is None:
        return UNSET
    return float(cost)


@attrs.frozen
class _Dates:
    """When the goods are where, counted in Almaty's days from the sandbox's present moment."""

    now: datetime
    delivery: Delivery
    preorder: int

    def midnight(self, days: int) -> datetime:
        """The beginning of the day so many days from today: 19:00Z on the day before."""
        today = self.now.astimezone(ALMATY).replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=days)

    @property
    def duration(self) -> str:
        """The class; goods made to order come within a week or a month."""
        if not self.preorder:
            return self.delivery.duration
        return "TILL_7_DAYS" if self.preorder < 7 else "TILL_30_DAYS"

    @property
    def to_door(self) -> datetime:
        day = self.midnight(self.delivery.days + self.preorder)
        return max(day + timedelta(hours=self.delivery.hour), self.now + timedelta(hours=3))

    @property
    def handed_over(self) -> datetime:
        return max(self.to_door - timedelta(hours=3, minutes=5), self.now)

    @property
    def available(self) -> datetime:
        return self.midnight(self.preorder) if self.preorder else self.now

    @property
    def pickup(self) -> datetime:
        return self.midnight(self.preorder + 1)

    @property
    def postomat(self) -> datetime:
        return self.midnight(self.delivery.days + self.preorder + 1) + timedelta(hours=23)
