"""A listing of ours on a board that was just read, as the engine sees it, and what it decides."""

from datetime import timedelta

from domain.moments import almaty_date
from domain.offers import OfferBoard
from domain.pricing import MarketOffer, Situation
from domain.shop import Decided, Listed
from repricer.decision import decide
from repricer.gain import brings, changes_a_day, worth
from repricer.spoken import plan_of, read_rule
from repricer.tariffs import Tariffs


def decide_on(listed: Listed, board: OfferBoard, tariffs: Tariffs, horizon: timedelta) -> Decided:
    """The decision by the rule that holds there, and what carrying it out brings.

    The moment of the reading is its now, `horizon` is that of repricer.gain. Raises BadSituation
    for a rule that cannot be used.
    """
    seen = situation(listed, board)
    plan = plan_of(seen, read_rule(listed.said), tariffs)
    decision = decide(seen, plan)
    worthwhile = worth(decision, plan)
    return Decided(
        listing=listed,
        board_at=board.checked_at,
        decision=decision,
        brings=brings(worthwhile, changes_a_day(listed.changes, listed.watched), horizon),
        forbidden=worthwhile.forbidden,
        stands=seen.offered,
    )


def situation(listed: Listed, board: OfferBoard) -> Situation:
    """What is known of the listing by this board; only a complete board tells who is not on it."""
    return Situation(
        id=f"{listed.store} {listed.sku} {listed.city}",
        store=listed.store,
        sku=listed.sku,
        city=listed.city,
        remembered=listed.price,
        stock=listed.stock,
        offered=any(offer.merchant_id == listed.store for offer in board.offers),
        stock_age_days=_age(listed, board),
        offers=tuple(map(MarketOffer.of, board.offers)),
        sisters=listed.sisters,
        median=listed.median,
        moved_today=listed.moved_today,
        changed_at=listed.changed_at,
        changed_for=listed.changed_for,
        now=board.checked_at,
    )


def _age(listed: Listed, board: OfferBoard) -> int | None:
    """Days that the oldest pieces have lain."""
    if listed.stocked_on is None:
        return None
    return max(0, (almaty_date(board.checked_at) - listed.stocked_on).days)
