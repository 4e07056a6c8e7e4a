"""What a pricing decision is made of: the rule, the situation, the answer."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, Self

import msgspec

from domain.identity import CityId, MerchantId
from domain.money import Tenge

#: A whole, in basis points.
WHOLE = 10_000
#: How far back the median of the others' prices looks, and the offers without which it says
#: nothing: of two, one typing error would be the median, and make the other one absurd.
RECENT, ENOUGH = timedelta(days=7), 5
#: The share of buyers that each place gets, in basis points, until it is measured on own orders;
#: places beyond the last get as much as the last.
ASSUMED_SHARES_BP = (5_000, 2_200, 1_200, 700, 400, 300, 200)


class Action(StrEnum):
    """What to do with the price."""

    SET = "set"
    HOLD = "hold"
    REVIEW = "review"
    OFF = "off"


class Strategy(StrEnum):
    """Where among the rivals the owner wants to stand."""

    UNDERCUT = "undercut"
    MATCH = "match"
    POSITION = "position"
    FOLLOW = "follow"
    PREMIUM = "premium"
    HOLD = "hold"
    PROFIT = "profit"


class WhenAlone(StrEnum):
    """What to do when there is no rival."""

    CEILING = "ceiling"
    HOLD = "hold"


class WhenUnbeatable(StrEnum):
    """What to do when no rival can be beaten at an allowed price."""

    HOLD = "hold"
    CEILING = "ceiling"
    LOWEST = "lowest"


class WhenTied(StrEnum):
    """What to do when we stand at the same price as the rival we are after."""

    UNDERCUT = "undercut"
    MATCH = "match"


class WhenFollowed(StrEnum):
    """What to do with a rival who came after us and stands just below."""

    UNDERCUT = "undercut"
    MEET = "meet"


class CompareDelivery(StrEnum):
    """Which offers compete with ours, by their delivery."""

    ANY = "any"
    SAME_OR_FASTER = "same_or_faster"
    FASTER_BY = "faster_by"


class Doing(StrEnum):
    """What happens within a window of the day."""

    WORK = "work"
    HOLD = "hold"
    CEILING = "ceiling"
    RESET = "reset"


class Reason(StrEnum):
    """Why the answer is what it is: one code an answer, a sentence in two languages each."""

    # set
    UNDERCUT = "undercut"
    RAISE_TO_NEXT = "raise_to_next"
    NEXT_FEASIBLE = "next_feasible"
    MATCH = "match"
    POSITION = "position"
    FOLLOW = "follow"
    PREMIUM = "premium"
    PROFIT = "profit"
    MEET = "meet"
    UNDERCUT_AGAIN = "undercut_again"
    RESET = "reset"
    ALONE_CEILING = "alone_ceiling"
    BEHIND_ALL = "behind_all"
    UNBEATABLE_CEILING = "unbeatable_ceiling"
    UNBEATABLE_LOWEST = "unbeatable_lowest"
    WINDOW_CEILING = "window_ceiling"
    LOW_STOCK = "low_stock"
    INTO_ALLOWED = "into_allowed"
    # hold
    AT_TARGET = "at_target"
    ALONE = "alone"
    UNBEATABLE = "unbeatable"
    SHADOWED = "shadowed"
    NO_GAIN = "no_gain"
    COOLDOWN = "cooldown"
    PATIENCE = "patience"
    TOLD_TO_HOLD = "told_to_hold"
    OUTSIDE_WINDOW = "outside_window"
    NOBODY_TO_FOLLOW = "nobody_to_follow"
    NO_FLOOR_NO_COST = "no_floor_no_cost"
    CEILING_BELOW_FLOOR = "ceiling_below_floor"
    NO_ALLOWED_PRICE = "no_allowed_price"
    NO_TARIFF = "no_tariff"
    # review
    MAX_CHANGE = "max_change"
    MAX_CHANGE_DAY = "max_change_day"
    ANOMALY = "anomaly"
    # off
    RULE_OFF = "rule_off"
    OUT_OF_STOCK = "out_of_stock"
    NOT_OFFERED = "not_offered"


class Constraint(StrEnum):
    """What kept the price from being what the strategy wished."""

    FLOOR = "floor"
    MARGIN = "margin"
    CEILING = "ceiling"
    DEAD_ZONE = "dead_zone"
    SHADOW = "shadow"
    GAIN = "gain"
    COOLDOWN = "cooldown"
    PATIENCE = "patience"
    WINDOW = "window"
    STOCK = "stock"
    MAX_CHANGE = "max_change"
    MAX_CHANGE_DAY = "max_change_day"
    ANOMALY = "anomaly"


class NoRival(StrEnum):
    """Why an offer on the board is no rival of ours."""

    OURSELVES = "ourselves"
    SISTER = "sister"
    IGNORED = "ignored"
    NOT_FOLLOWED = "not_followed"
    ABSURD = "absurd"
    PREORDER = "preorder"
    RATING = "rating"
    REVIEWS = "reviews"
    SLOWER = "slower"


class Window(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of the day in Almaty time, in minutes from midnight; it may pass midnight.

    `days` are ISO weekdays (Monday is 1) on which the window begins.
    """

    begins: int
    ends: int
    doing: Doing
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one listing is to be priced: docs/strategies.md explains each word.

    Amounts are tenge, shares are basis points, weights grams, ratings hundredths of a star.
    None means that the owner did not say: it is not zero.
    """

    on: bool = True
    strategy: Strategy = Strategy.UNDERCUT
    step: int = 1
    step_bp: int = 0
    position: int = 1
    follow: MerchantId | None = None
    offset: int = 0
    premium: int = 0
    shares_bp: tuple[int, ...] = ASSUMED_SHARES_BP
    elasticity: int = 0
    when_alone: WhenAlone = WhenAlone.CEILING
    when_unbeatable: WhenUnbeatable = WhenUnbeatable.HOLD
    when_tied: WhenTied = WhenTied.UNDERCUT
    when_followed: WhenFollowed = WhenFollowed.UNDERCUT

    floor: Tenge | None = None
    ceiling: Tenge | None = None
    cost: Tenge | None = None
    packaging: int = 0
    margin: int = 0
    margin_bp: int = 0

    uses_tariffs: bool = True
    category: str | None = None
    zone: str = "country"
    weight: int = 1_000
    commission_bp: int | None = None
    payment_bp: int | None = None
    tax_bp: int | None = None
    delivery_fee: int | None = None

    compare_delivery: CompareDelivery = CompareDelivery.ANY
    faster_by_days: int = 5
    faster_premium: int = 500
    min_rating: int | None = None
    min_reviews: int | None = None
    skip_preorder: bool = False
    use_bonus: bool = False
    ignore: frozenset[MerchantId] = frozenset()
    only: frozenset[MerchantId] = frozenset()
    absurd_low_bp: int = 3_000
    absurd_ceiling_bp: int = 1_000
    absurd_high_bp: int = 30_000

    max_change_bp: int = 3_000
    max_change_day_bp: int = 10_000
    anomaly_bp: int = 4_000
    cooldown_minutes: int = 0
    patience_minutes: int = 0
    min_gain: int = 1
    shadow_bp: int = 300
    idle_cuts: bool = False

    stock_low: int | None = None
    stock_low_raise_bp: int = 0
    aged_days: int | None = None
    aged_margin: int = 0
    aged_margin_bp: int = 0
    windows: tuple[Window, ...] = ()

    def is_scarce(self, stock: int | None) -> bool:
        """Whether so few pieces are the last ones, which are sold dearer."""
        if self.stock_low is None or stock is None or not self.stock_low_raise_bp:
            return False
        return stock <= self.stock_low

    def at_age(self, days: int | None) -> "Rule":
        """The rule for goods that have lain so many days: the aged ones ask for less margin."""
        if self.aged_days is None or days is None or days < self.aged_days:
            return self
        return msgspec.structs.replace(self, margin=self.aged_margin, margin_bp=self.aged_margin_bp)


class Offered(Protocol):
    """An offer as it is read from a board or remembered; ratings run from 0 to 5."""

    @property
    def merchant_id(self) -> str: ...
    @property
    def price(self) -> int: ...
    @property
    def price_minus_bonus(self) -> int | None: ...
    @property
    def delivery_days(self) -> int | None: ...
    @property
    def merchant_rating(self) -> Decimal | None: ...
    @property
    def merchant_reviews(self) -> int | None: ...
    @property
    def preorder_days(self) -> int | None: ...


class MarketOffer(msgspec.Struct, frozen=True, gc=False):
    """What a decision needs of one offer on the board. None: the marketplace did not say.

    `rating` is in hundredths of a star. A price is taken as it came: judging it is the rule's.
    """

    merchant: MerchantId
    price: int
    price_minus_bonus: int | None = None
    delivery_days: int | None = None
    rating: int | None = None
    reviews: int | None = None
    preorder_days: int | None = None

    @classmethod
    def of(cls, offer: Offered) -> Self:
        """What a decision needs of an offer."""
        rating = offer.merchant_rating
        return cls(
            merchant=MerchantId(offer.merchant_id),
            price=offer.price,
            price_minus_bonus=offer.price_minus_bonus,
            delivery_days=offer.delivery_days,
            rating=None if rating is None else int(rating * 100),
            reviews=offer.merchant_reviews,
            preorder_days=offer.preorder_days,
        )


class Situation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One listing of ours at one moment, and everybody else's offers.

    `current` is our price as it was last seen, `remembered` as we last set it. Our own offer on
    the board, when there is one, is newer than both. `moved_today` sums the sizes of today's
    changes in tenge; `median` is the recent median of the rivals' prices. `offered`: whether our
    goods are on sale on this board at all. `changed_at` is when we last changed our price, and
    `changed_for` why.
    """

    id: str | int | None = None
    store: MerchantId
    sku: str = ""
    city: CityId | None = None
    current: Tenge | None = None
    remembered: Tenge | None = None
    stock: int | None = None
    offered: bool = True
    stock_age_days: int | None = None
    delivery_days: int | None = None
    offers: tuple[MarketOffer, ...] = ()
    sisters: frozenset[MerchantId] = frozenset()
    median: Tenge | None = None
    moved_today: int = 0
    changed_at: datetime | None = None
    changed_for: Reason | None = None
    now: datetime | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to do with one price, and the numbers behind it.

    `price` is the new price of a `set`, the proposed one of a `review`, and None otherwise.
    `wish` is the price that a limit refused. `before` is our live price. Profits are whole tenge a
    sale, rounded down, None where no cost is known. `place` is ours among the rivals, where whoever
    asks the same stands before us. `pairs` are the allowed prices. `rivals` are those who were
    considered, the cheapest first; `levels` are the prices under which we stand before them.
    """

    id: str | int | None
    action: Action
    price: Tenge | None
    wish: Tenge | None
    reason: Reason
    rival: MarketOffer | None
    before: Tenge | None
    profit: int | None
    profit_before: int | None
    place: int | None
    place_before: int | None
    pairs: tuple[tuple[int, int], ...]
    constraints: tuple[Constraint, ...]
    rivals: tuple[MarketOffer, ...]
    levels: tuple[int, ...]
    dropped: tuple[tuple[MarketOffer, NoRival], ...]
