"""Who on the board is a rival: never ourselves, never a sister, and whom the rule leaves.

No filter looks at our own price, for then a decision would change its own ground.
"""

from bisect import bisect_left, bisect_right
from operator import attrgetter, itemgetter

import msgspec

from domain.money import DEAREST
from domain.pricing import (
    WHOLE,
    CompareDelivery,
    MarketOffer,
    NoRival,
    Reason,
    Rule,
    Situation,
    WhenFollowed,
)

_merchant, _price = attrgetter("merchant"), attrgetter("price")


class Market(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The board as the rule sees it: our live price, the rivals from the cheapest on.

    `levels` are the prices that we must be under to stand before each rival: what it asks, or
    what a buyer pays after the bonus, or more where our faster delivery is worth something.
    `standing_for` is why our live price stands where it does, None where we do not know. `meets`:
    who came after us is met, not passed; the last pieces are too dear for that.
    """

    own: int | None
    rivals: tuple[MarketOffer, ...]
    levels: tuple[int, ...]
    dropped: tuple[tuple[MarketOffer, NoRival], ...]
    standing_for: Reason | None = None
    meets: bool = False

    def place(self, price: int) -> int:
        """Which in the row we would surely be: whoever asks the same stands before us."""
        return bisect_right(self.levels, price) + 1

    def shared_place(self, price: int) -> int:
        """Which in the row we would be when whoever asks the same shares our place."""
        return bisect_left(self.levels, price) + 1


class Screen(msgspec.Struct, frozen=True, gc=False):
    """What a rule looks at in an offer before all else, reckoned once for many boards.

    `low` and `high` bound the prices that somebody can mean; `picky`: the owner wants some
    offers left aside.
    """

    low: int
    high: int
    picky: bool


def screen(rule: Rule) -> Screen:
    """The screen of a rule, by its cost and its ceiling; the recent median is the board's."""
    low, high = 1, int(DEAREST)
    if rule.cost is not None:
        low = max(low, _share(rule.cost, rule.absurd_low_bp))
    if rule.ceiling is not None:
        low = max(low, _share(rule.ceiling, rule.absurd_ceiling_bp))
        high = min(high, rule.ceiling * rule.absurd_high_bp // WHOLE)
    return Screen(low, high, _is_picky(rule))


def meet(situation: Situation, rule: Rule, first: Screen) -> Market:
    """Tell rivals from the rest of the board."""
    store, family = situation.store, {situation.store, *situation.sisters}
    low, high, picky = first.low, first.high, first.picky
    if situation.median is not None:
        low = max(low, _share(situation.median, rule.absurd_low_bp))
        high = min(high, situation.median * rule.absurd_high_bp // WHOLE)
    ours: MarketOffer | None = None
    others: list[MarketOffer] = []
    dropped: list[tuple[MarketOffer, NoRival]] = []
    for offer in situation.offers:
        if offer.merchant in family:
            if offer.merchant != store:
                dropped.append((offer, NoRival.SISTER))
                continue
            ours = offer if ours is None or offer.price < ours.price else ours
            dropped.append((offer, NoRival.OURSELVES))
        elif not low <= offer.price <= high:
            dropped.append((offer, NoRival.ABSURD))
        elif picky and (why := _unwanted(offer, rule)):
            dropped.append((offer, why))
        else:
            others.append(offer)
    rivals, levels = _ranked(others, ours, situation, rule, dropped)
    return Market(
        own=_live(situation, ours),
        rivals=rivals,
        levels=levels,
        dropped=tuple(dropped),
        standing_for=situation.changed_for,
        meets=rule.when_followed is WhenFollowed.MEET and not rule.is_scarce(situation.stock),
    )


def _ranked(
    others: list[MarketOffer],
    ours: MarketOffer | None,
    situation: Situation,
    rule: Rule,
    dropped: list[tuple[MarketOffer, NoRival]],
) -> tuple[tuple[MarketOffer, ...], tuple[int, ...]]:
    """The rivals from the cheapest on, and their levels.

    Among equals the name decides, so that the order of the board says nothing.
    """
    others.sort(key=_merchant)
    if rule.compare_delivery is CompareDelivery.ANY and not rule.use_bonus:
        others.sort(key=_price)
        return tuple(others), tuple(map(_price, others))
    found = _compared(others, ours, situation, rule, dropped)
    found.sort(key=itemgetter(0))
    return tuple([offer for _, offer in found]), tuple([level for level, _ in found])


def _live(situation: Situation, ours: MarketOffer | None) -> int | None:
    """Our price as buyers see it: the board knows best, what we remember comes last."""
    if ours is not None:
        return ours.price
    return situation.remembered if situation.current is None else situation.current


def _is_picky(rule: Rule) -> bool:
    """Whether the owner wants any offer left aside."""
    if rule.ignore or rule.only or rule.skip_preorder:
        return True
    return rule.min_rating is not None or rule.min_reviews is not None


def _unwanted(offer: MarketOffer, rule: Rule) -> NoRival | None:
    """Why the owner wants this offer left aside. What is not known is not held against it."""
    if offer.merchant in rule.ignore:
        return NoRival.IGNORED
    if rule.only and offer.merchant not in rule.only:
        return NoRival.NOT_FOLLOWED
    if rule.skip_preorder and offer.preorder_days:
        return NoRival.PREORDER
    if rule.min_rating is not None and offer.rating is not None and offer.rating < rule.min_rating:
        return NoRival.RATING
    if rule.min_reviews is None or offer.reviews is None or offer.reviews >= rule.min_reviews:
        return None
    return NoRival.REVIEWS


def _share(amount: int, bp: int) -> int:
    """So many basis points of an amount, rounded up."""
    return -(-amount * bp // WHOLE)


def _compared(
    others: list[MarketOffer],
    ours: MarketOffer | None,
    situation: Situation,
    rule: Rule,
    dropped: list[tuple[MarketOffer, NoRival]],
) -> list[tuple[int, MarketOffer]]:
    """The rivals among the others, by their delivery and ours, each with its level."""
    if rule.compare_delivery is CompareDelivery.ANY:
        return [(_paid(offer, rule), offer) for offer in others]
    mine = None if ours is None else ours.delivery_days
    mine = situation.delivery_days if mine is None else mine
    if rule.compare_delivery is CompareDelivery.FASTER_BY:
        return [(_level(offer, mine, rule), offer) for offer in others]
    if mine is None:
        # We trust our delivery to be as good as the best one known.
        known = [offer.delivery_days for offer in others if offer.delivery_days is not None]
        mine = min(known, default=None)
    found = []
    for offer in others:
        if mine is not None and offer.delivery_days is not None and offer.delivery_days > mine:
            dropped.append((offer, NoRival.SLOWER))
        else:
            found.append((_paid(offer, rule), offer))
    return found


def _paid(offer: MarketOffer, rule: Rule) -> int:
    """What a buyer pays, as the rule counts it."""
    if not rule.use_bonus:
        return offer.price
    bonus = offer.price_minus_bonus
    return bonus if bonus is not None and 0 < bonus < offer.price else offer.price


def _level(offer: MarketOffer, mine: int | None, rule: Rule) -> int:
    """Where the offer stands when much faster delivery may cost a premium.

    It is worth it when both dates are known, and then for the whole premium: as long as we are
    no dearer than that, the slow offer does not stand before ours.
    """
    theirs, paid = offer.delivery_days, _paid(offer, rule)
    if mine is None or theirs is None or theirs - mine < rule.faster_by_days:
        return paid
    return paid + rule.faster_premium + 1
