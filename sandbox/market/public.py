"""Public price rules, written afresh from what is known of them, their defects included.

What each answers to the fourteen boards of the truth table is tested. A rule sees the board and
says its next price; prices are whole tenge.
"""

from collections.abc import Mapping

from sandbox.market.sight import DAY, PriceRule, Sight

#: cube-demper never asks less.
LEAST = 10
#: When the night reset goes up and when it comes down again, in minutes of the day.
RESET = (180, 300)
#: How often the price monitor may go up, and how long it may, in minutes.
RAISES_EVERY, RAISES_FOR = 300, 15


def demper_main(sight: Sight) -> int:
    """One under the cheapest of the first five, itself and its sisters among them; never up.

    It compares what its database says of its price, and a missing floor is no floor.
    """
    cheapest, floor = min(sight.page), sight.floor or 0
    if sight.remembered <= max(cheapest, floor):
        return sight.own
    return cheapest - 1 if cheapest - 1 >= floor else sight.own


def demper_unified(sight: Sight) -> int:
    """The same, but the floor is compared and then forgotten."""
    cheapest, floor = min(sight.page), sight.floor or 0
    return cheapest - 1 if sight.remembered > max(cheapest, floor) else sight.own


def cube_demper(sight: Sight) -> int:
    """One under the cheapest stranger, up or down; the floor is applied, then the ceiling."""
    rivals = sight.rivals
    if not rivals:
        return sight.ceiling
    return min(sight.ceiling, max(rivals[0] - 1, sight.floor or LEAST))


def cube_top_three(sight: Sight) -> int:
    """One under the third of the board; this loop forgets who its sisters are."""
    others = sight.others
    if not others:
        return sight.ceiling
    aim = others[min(2, len(others) - 1)]
    return min(sight.ceiling, max(aim - 1, sight.floor or LEAST))


def price_monitor(sight: Sight) -> int:
    """One under the first seller above the floor; up to there only every fifth hour.

    It knows its own offer, not its sisters.
    """
    others, floor = sight.others, sight.floor or 0
    if not others:
        return sight.ceiling
    beatable = [price for price in others if price - 1 >= floor]
    if not beatable:
        return sight.own
    may_rise = sight.minute % DAY % RAISES_EVERY < RAISES_FOR
    if sight.remembered > beatable[0] or may_rise:
        return beatable[0] - 1
    return sight.own


def auto_price(sight: Sight) -> int:
    """One under the cheapest stranger within floor and ceiling; a leap of over 30 % is skipped."""
    rivals = sight.rivals
    return _unless_a_leap(sight, rivals[0] - 1) if rivals else sight.own


def match_lowest(sight: Sight) -> int:
    """What the cheapest stranger asks, within floor and ceiling; a leap is skipped."""
    rivals = sight.rivals
    return _unless_a_leap(sight, rivals[0]) if rivals else sight.own


def average_of_three(sight: Sight) -> int:
    """The mean of the three cheapest strangers, within floor and ceiling; a leap is skipped."""
    nearest = sight.rivals[:3]
    return _unless_a_leap(sight, sum(nearest) // len(nearest)) if nearest else sight.own


def _unless_a_leap(sight: Sight, wish: int) -> int:
    if sight.floor is None:
        return sight.own
    price = min(sight.ceiling, max(wish, sight.floor))
    return price if abs(price - sight.own) * 10 <= sight.own * 3 else sight.own


def stay_above_leader(sight: Sight) -> int:
    """One above the cheapest stranger; held at the floor."""
    rivals = sight.rivals
    return max(rivals[0] + 1, sight.floor or 0) if rivals else sight.own


def be_second(sight: Sight) -> int:
    """One under the second stranger; held at the floor."""
    rivals = sight.rivals
    return max(rivals[1] - 1, sight.floor or 0) if len(rivals) > 1 else sight.own


def marketpilot(sight: Sight) -> int:
    """One under the cheapest while that is a step of up to 20 %, or nothing at all.

    When first it goes up to just under the second of the others, which is one too far, and comes
    back down. A price that somebody else changed is left alone.
    """
    others = sight.others
    if not others or sight.own != sight.remembered or sight.floor is None:
        return sight.own
    if sight.own < others[0]:
        aims = [min(sight.ceiling, price - 1) for price in (others[:2][-1], others[0])]
        return next((aim for aim in aims if 0 < aim - sight.own <= sight.own // 5), sight.own)
    wish = others[0] - 1
    falls = sight.own > others[0] and wish >= sight.floor
    return wish if falls and sight.own - wish <= sight.own // 5 else sight.own


def night_reset(sight: Sight) -> int:
    """The first rule by day; from three to five at night the ceiling, for others to follow."""
    is_night = RESET[0] <= sight.minute % DAY < RESET[1]
    return sight.ceiling if is_night else demper_main(sight)


def step_up_night_reset(sight: Sight) -> int:
    """cube-demper by day, with the same ceiling at night."""
    is_night = RESET[0] <= sight.minute % DAY < RESET[1]
    return sight.ceiling if is_night else cube_demper(sight)


PUBLIC: Mapping[str, PriceRule] = {
    "demper main": demper_main,
    "demper unified": demper_unified,
    "cube-demper": cube_demper,
    "cube-demper, top 3": cube_top_three,
    "price monitor": price_monitor,
    "AutoPrice": auto_price,
    "match the lowest": match_lowest,
    "average of three": average_of_three,
    "stay above leader": stay_above_leader,
    "be second": be_second,
    "marketpilot": marketpilot,
    "night reset": night_reset,
    "night reset, step-up": step_up_night_reset,
}
