"""What a rule would have done: the engine of every day over the moments of a board's past.

Our real offer is taken off the board, and one with the price of the rule stands in its place. The
rivals do what they did: they do not answer to our prices, so a replay flatters a rule that they
would have followed. Decisions are made when the board was read, and while we stood on it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import chain

import msgspec
from msgspec.structs import replace

from domain.identity import CityId, MerchantId
from domain.moments import almaty_date
from domain.money import Tenge
from domain.past import Moment
from domain.pricing import Action, Decision, MarketOffer, Rule, Situation
from repricer.allowed import Plan, prepare
from repricer.decision import decide
from repricer.recent import RecentPrices
from repricer.tariffs import Tariffs


class Seller(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whose past it is, and how long a price takes from being set to being seen."""

    store: MerchantId
    sisters: frozenset[MerchantId] = frozenset()
    city: CityId | None = None
    lag: timedelta = timedelta()


class Contender(msgspec.Struct, frozen=True, gc=False):
    """A rule that is tried, and what it is called."""

    name: str
    rule: Rule


class Span(msgspec.Struct, frozen=True, gc=False):
    """A time during which our price and all others stood still.

    `place` is ours when whoever asks the same stands before us, `shared` when behind us.
    """

    begins: datetime
    ends: datetime
    price: int
    place: int
    shared: int


class Stand(msgspec.Struct, frozen=True, gc=False):
    """What one way of pricing did from a moment to the next.

    `decision` is None for the real prices, `change` the price that was newly set, and `plan` what
    the price was reckoned with. `asks`: a person would be asked who was not asked the time before.
    """

    spans: tuple[Span, ...]
    change: int | None
    decision: Decision | None
    plan: Plan
    asks: bool = False


class Step(msgspec.Struct, frozen=True, gc=False):
    """One reading of the board: who asked what besides us, what we really did, what rules did.

    `others` are everybody else's prices, ascending.
    """

    at: datetime
    others: tuple[int, ...]
    real: Stand
    tried: tuple[Stand, ...]


class _Course(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a listing at a reading, as the history would tell it live.

    seen: our price as buyers see it; shown: as the reading before showed it
    remembered: the price that was set last
    changed_at, day, moved: the last reading that showed another price than the one before, the
        day of the last reading, and how far our price moved on that day
    coming: a price that was set and is not seen yet, and when it will be
    asked: a person has a proposal before him that nobody has answered
    """

    seen: int
    shown: int
    remembered: int | None = None
    changed_at: datetime | None = None
    day: date | None = None
    moved: int = 0
    coming: tuple[datetime, int] | None = None
    asked: bool = False


def begun(
    moments: Iterable[Moment], store: MerchantId
) -> tuple[MarketOffer, Iterator[Moment]] | None:
    """The store's first offer, and the moments from there on; None when it never had one."""
    rest = iter(moments)
    for moment in rest:
        offer = own_offer(moment, store)
        if offer is not None:
            return offer, chain((moment,), rest)
    return None


def own_offer(moment: Moment, store: MerchantId) -> MarketOffer | None:
    """The store's offer, its cheapest one when it has several."""
    ours = (offer for offer in moment.offers if offer.merchant == store)
    return min(ours, key=lambda offer: offer.price, default=None)


def read_every(moments: Iterable[Moment], pause: timedelta) -> Iterator[Moment]:
    """The same past read at least so often: an unchanged board leaves no trace in the history."""
    last = None
    for moment in moments:
        while last is not None and last.at + pause < moment.at:
            last = Moment(last.at + pause, last.offers)
            yield last
        yield moment
        last = moment


def replay(
    moments: Iterable[Moment],
    contenders: Sequence[Contender],
    seller: Seller,
    tariffs: Tariffs,
) -> Iterator[Step]:
    """Each reading of the board with what the contenders would have done; the last one ends it.

    Moments ascend. All contenders begin with our real price. What we really did is reckoned with
    the costs of the first contender. The same moments give the same steps.
    """
    start = begun(moments, seller.store)
    if start is None:
        return
    first, past = start
    prepared, recent, before = _Prepared(contenders, tariffs), RecentPrices(), first.price
    courses = [_Course(seen=first.price, shown=first.price)] * len(contenders)
    for moment, until in _lasting(past):
        ours = own_offer(moment, seller.store)
        others = tuple(offer for offer in moment.offers if offer.merchant != seller.store)
        median = recent.see(moment.at, others)
        if ours is None:
            continue
        plans = prepared.on(almaty_date(moment.at))
        board = _Board(moment.at, until, ours, others, tuple(sorted(o.price for o in others)))
        answered = [
            _advance(course, board, plan, seller, median)
            for course, plan in zip(courses, plans, strict=True)
        ]
        courses = [course for course, _ in answered]
        change = None if ours.price == before else ours.price
        real = Stand((board.span(ours.price),), change, None, plans[0])
        yield Step(moment.at, board.prices, real, tuple(stand for _, stand in answered))
        before = ours.price


def _lasting(moments: Iterable[Moment]) -> Iterator[tuple[Moment, datetime]]:
    """Each moment with the end of its time; the last one has none."""
    last = None
    for moment in moments:
        if last is not None:
            yield last, moment.at
        last = moment
    if last is not None:
        yield last, last.at


class _Prepared:
    """The contenders' rules, made ready for the tariffs of a day."""

    def __init__(self, contenders: Sequence[Contender], tariffs: Tariffs) -> None:
        self._rules = [contender.rule for contender in contenders]
        self._tariffs = tariffs
        self.on = lru_cache(maxsize=2)(self._on)

    def _on(self, day: date) -> list[Plan]:
        return [prepare(rule, self._tariffs, day) for rule in self._rules]


class _Board(msgspec.Struct, frozen=True, gc=False):
    """The board from one moment to the next; the offer of ours is the real one."""

    at: datetime
    until: datetime
    ours: MarketOffer
    others: tuple[MarketOffer, ...]
    prices: tuple[int, ...]

    def span(
        self, price: int, begins: datetime | None = None, ends: datetime | None = None
    ) -> Span:
        """Our price on this board for a part of its time."""
        return Span(
            begins or self.at,
            ends or self.until,
            price,
            bisect_right(self.prices, price) + 1,
            bisect_left(self.prices, price) + 1,
        )


def _advance(
    course: _Course, board: _Board, plan: Plan, seller: Seller, median: Tenge | None
) -> tuple[_Course, Stand]:
    """Decide once, as live, and let the price stand until the next moment."""
    course = _read(course, board.at)
    decision = decide(_situation(course, board, seller, median), plan)
    is_review = decision.action is Action.REVIEW
    asks, course = is_review and not course.asked, replace(course, asked=is_review)
    last = course.seen if course.coming is None else course.coming[1]
    price = decision.price if decision.action is Action.SET else None
    if price is None or price == last:
        return course, Stand(_spans(course, board), None, decision, plan, asks)
    course = replace(course, remembered=price, coming=(board.at + seller.lag, price))
    return _arrived(course, board.at), Stand(_spans(course, board), price, decision, plan)


def _situation(course: _Course, board: _Board, seller: Seller, median: Tenge | None) -> Situation:
    """What live would know at this moment."""
    return Situation(
        store=seller.store,
        city=seller.city,
        current=Tenge(course.seen),
        remembered=None if course.remembered is None else Tenge(course.remembered),
        offers=(*board.others, replace(board.ours, price=course.seen)),
        sisters=seller.sisters,
        median=median,
        moved_today=course.moved,
        changed_at=course.changed_at,
        now=board.at,
    )


def _read(course: _Course, at: datetime) -> _Course:
    """The reading sees our price, and how far it moved; days are Almaty's."""
    course, day = _arrived(course, at), almaty_date(at)
    moved = course.moved if course.day == day else 0
    if course.seen == course.shown:
        return replace(course, day=day, moved=moved)
    moved += abs(course.seen - course.shown)
    return replace(course, shown=course.seen, day=day, moved=moved, changed_at=at)


def _arrived(course: _Course, at: datetime) -> _Course:
    """The price that was on its way is seen when its time has come."""
    if course.coming is None or course.coming[0] > at:
        return course
    return replace(course, seen=course.coming[1], coming=None)


def _spans(course: _Course, board: _Board) -> tuple[Span, ...]:
    """How our price stands until the next moment, in one piece or two."""
    if course.coming is None or course.coming[0] >= board.until:
        return (board.span(course.seen),)
    due, price = course.coming
    if due <= board.at:
        return (board.span(price),)
    return (board.span(course.seen, ends=due), board.span(price, begins=due))
