"""A decision in one plain sentence, in Russian and in English, for the seller."""

from collections.abc import Mapping

from domain.identity import MerchantId
from domain.pricing import Action, Constraint, Decision, Reason

#: Each sentence may name {wish}, {rival}, {theirs}, {place}, {because} and {aside}: the rival's
#: price and the because in one pair of brackets.
_ENGLISH: Mapping[Reason, str] = {
    Reason.UNDERCUT: "under {rival}, who asks {theirs}{because}",
    Reason.RAISE_TO_NEXT: "we stay first, now under {rival} {aside}",
    Reason.NEXT_FEASIBLE: "cheaper rivals are out of reach{because}, {rival} ({theirs}) is not",
    Reason.MATCH: "to meet {rival} {aside}",
    Reason.POSITION: "the wanted place is under {rival} {aside}",
    Reason.FOLLOW: "at the set distance from {rival} {aside}",
    Reason.PREMIUM: "the set premium above {rival} {aside}",
    Reason.PROFIT: "place {place} has the highest expected profit",
    Reason.MEET: "to share the place of {rival} ({theirs}), so that nobody has to cut",
    Reason.UNDERCUT_AGAIN: "{rival} ({theirs}) came after us again, so once more under it",
    Reason.RESET: "rivals stand just below us, so at this hour we go up and see who comes along",
    Reason.ALONE_CEILING: "there is no rival, so the highest allowed price",
    Reason.BEHIND_ALL: "there are fewer rivals than the wanted place, so the highest allowed price",
    Reason.UNBEATABLE_CEILING: "no rival can be beaten at an allowed price, so the highest of them",
    Reason.UNBEATABLE_LOWEST: "no rival can be beaten at an allowed price, so the lowest of them",
    Reason.WINDOW_CEILING: "at this hour the rule asks for the highest allowed price",
    Reason.LOW_STOCK: "little is left in stock, so dearer than the strategy alone would be",
    Reason.INTO_ALLOWED: "our price was not an allowed one{because}",
    Reason.AT_TARGET: "the price is already where the rule wants it",
    Reason.ALONE: "there is no rival and no reason to move",
    Reason.UNBEATABLE: "no rival can be beaten at an allowed price{because}",
    Reason.SHADOWED: "{rival} ({theirs}) stands so close that it would follow us up",
    Reason.NO_GAIN: "{wish} would gain neither a place nor enough profit",
    Reason.COOLDOWN: "the last change was too recent",
    Reason.PATIENCE: "{rival} ({theirs}) comes after each of our cuts, and the last was just now",
    Reason.TOLD_TO_HOLD: "the rule says to hold",
    Reason.OUTSIDE_WINDOW: "the rule does not work at this hour",
    Reason.NOBODY_TO_FOLLOW: "the merchant to follow is not among the rivals",
    Reason.NO_FLOOR_NO_COST: "neither a floor nor a cost is set, so no price is safe",
    Reason.CEILING_BELOW_FLOOR: "the ceiling is below the floor, so no price is allowed",
    Reason.NO_ALLOWED_PRICE: "no price within floor and ceiling earns the wanted margin",
    Reason.NO_TARIFF: "no tariff is known for that day, so fees cannot be counted",
    Reason.MAX_CHANGE: "the change is greater than the rule allows at once",
    Reason.MAX_CHANGE_DAY: "together with today's changes it is more than the rule allows a day",
    Reason.ANOMALY: "our live price is far from the one we set, so somebody else changed it",
    Reason.RULE_OFF: "the rule is switched off",
    Reason.OUT_OF_STOCK: "nothing is in stock",
    Reason.NOT_OFFERED: "our offer is not on this board, so a price would change nothing",
}
_RUSSIAN: Mapping[Reason, str] = {
    Reason.UNDERCUT: "ниже {rival}, у которого {theirs}{because}",
    Reason.RAISE_TO_NEXT: "остаёмся первыми, теперь под {rival} {aside}",
    Reason.NEXT_FEASIBLE: "более дешёвых не обойти{because}, а {rival} ({theirs}) — можно",
    Reason.MATCH: "вровень с {rival} {aside}",
    Reason.POSITION: "нужное место — перед {rival} {aside}",
    Reason.FOLLOW: "на заданном расстоянии от {rival} {aside}",
    Reason.PREMIUM: "на заданную надбавку выше {rival} {aside}",
    Reason.PROFIT: "на месте {place} ожидаемая прибыль наибольшая",
    Reason.MEET: "делим место с {rival} ({theirs}), чтобы никому не пришлось снижать",
    Reason.UNDERCUT_AGAIN: "{rival} ({theirs}) снова пришёл за нами, поэтому ещё раз под него",
    Reason.RESET: "конкуренты прямо под нами, в этот час идём вверх и смотрим, кто за нами",
    Reason.ALONE_CEILING: "конкурентов нет, поэтому наибольшая допустимая цена",
    Reason.BEHIND_ALL: "конкурентов меньше, чем мест впереди, поэтому наибольшая допустимая цена",
    Reason.UNBEATABLE_CEILING: (
        "допустимой ценой никого не обойти, поэтому наибольшая из допустимых"
    ),
    Reason.UNBEATABLE_LOWEST: "допустимой ценой никого не обойти, поэтому наименьшая из допустимых",
    Reason.WINDOW_CEILING: "в этот час правило требует наибольшую допустимую цену",
    Reason.LOW_STOCK: "товара осталось мало, поэтому дороже, чем просит сама стратегия",
    Reason.INTO_ALLOWED: "наша цена была недопустимой{because}",
    Reason.AT_TARGET: "цена уже такая, как требует правило",
    Reason.ALONE: "конкурентов нет, и менять цену незачем",
    Reason.UNBEATABLE: "допустимой ценой никого не обойти{because}",
    Reason.SHADOWED: "{rival} ({theirs}) стоит так близко, что поднимется вслед за нами",
    Reason.NO_GAIN: "цена {wish} не даст ни места выше, ни достаточной прибыли",
    Reason.COOLDOWN: "с прошлого изменения прошло слишком мало времени",
    Reason.PATIENCE: "{rival} ({theirs}) идёт за каждым нашим снижением, а прошлое было недавно",
    Reason.TOLD_TO_HOLD: "правило велит держать цену",
    Reason.OUTSIDE_WINDOW: "в этот час правило не работает",
    Reason.NOBODY_TO_FOLLOW: "продавца, за которым идём, среди конкурентов нет",
    Reason.NO_FLOOR_NO_COST: (
        "не заданы ни минимальная цена, ни закупка, поэтому безопасной цены нет"
    ),
    Reason.CEILING_BELOW_FLOOR: "максимальная цена ниже минимальной, поэтому допустимых цен нет",
    Reason.NO_ALLOWED_PRICE: "ни одна цена от минимальной до максимальной не даёт нужной прибыли",
    Reason.NO_TARIFF: "на этот день тариф неизвестен, комиссию и доставку не посчитать",
    Reason.MAX_CHANGE: "изменение больше, чем правило разрешает за один раз",
    Reason.MAX_CHANGE_DAY: "вместе с сегодняшними изменениями это больше, чем разрешено за день",
    Reason.ANOMALY: ("цена на витрине далека от той, что ставили мы, — её изменил кто-то другой"),
    Reason.RULE_OFF: "правило выключено",
    Reason.OUT_OF_STOCK: "товара нет в наличии",
    Reason.NOT_OFFERED: "нашего предложения нет на витрине, менять цену незачем",
}
_BECAUSE: Mapping[Constraint, tuple[str, str]] = {
    Constraint.FLOOR: ("the floor is {lowest}", "минимальная цена — {lowest}"),
    Constraint.MARGIN: (
        "only from {lowest} on is the wanted margin earned",
        "нужная прибыль есть только от цены {lowest}",
    ),
    Constraint.CEILING: ("the ceiling is {highest}", "максимальная цена — {highest}"),
    Constraint.DEAD_ZONE: (
        "in a dead zone a lower price earns as much or more",
        "в мёртвой зоне более низкая цена приносит столько же или больше",
    ),
}
#: Of the lowest allowed price, where it is a dead zone that ends there.
_LOWEST = ("the lowest allowed price is {lowest}", "наименьшая допустимая цена — {lowest}")
_DOING = {
    Action.SET: ("Set {price} instead of {before}", "Поставить {price} вместо {before}"),
    Action.HOLD: ("Hold {before}", "Оставить {before}"),
    Action.REVIEW: ("Look at this before {price} is set", "Проверьте, прежде чем ставить {price}"),
    Action.OFF: ("Do nothing", "Ничего не делать"),
}
_FIRST = ("Set {price}", "Поставить {price}")
_NOTHING = ("Set no price", "Цену не ставить")
_LOOK = ("Look at this", "Проверьте")
_EARNS = (
    "; a sale earns {profit} (before: {profit_before})",
    "; с продажи {profit} (было {profit_before})",
)
_EARNS_NOW = ("; a sale earns {profit}", "; с продажи {profit}")


#: What merchants are called; who is not named is called by his id.
Names = Mapping[MerchantId, str]
_NO_NAMES: Names = {}


def english(decision: Decision, names: Names = _NO_NAMES) -> str:
    """The decision in English."""
    return _told(decision, _ENGLISH[decision.reason], 0, names)


def russian(decision: Decision, names: Names = _NO_NAMES) -> str:
    """The decision in Russian."""
    return _told(decision, _RUSSIAN[decision.reason], 1, names)


def _told(decision: Decision, why: str, tongue: int, names: Names) -> str:
    words = _words(decision, tongue, names)
    earns = ""
    if decision.price is not None and decision.profit is not None:
        earns = (_EARNS_NOW if decision.profit_before is None else _EARNS)[tongue]
    text = f"{_opening(decision)[tongue]}: {why}{earns}."
    return text.format_map(words)


def _opening(decision: Decision) -> tuple[str, str]:
    if decision.action is Action.HOLD and decision.before is None:
        return _NOTHING
    if decision.action is Action.REVIEW and decision.price in (None, decision.before):
        return _LOOK
    if decision.action is Action.SET and decision.before is None:
        return _FIRST
    return _DOING[decision.action]


def _words(decision: Decision, tongue: int, names: Names) -> dict[str, str]:
    rival, because = decision.rival, _because(decision, tongue)
    theirs = "" if rival is None else money(rival.price)
    return {
        "price": money(decision.price),
        "wish": money(decision.wish),
        "before": money(decision.before),
        "rival": ("a rival", "конкурент")[tongue]
        if rival is None
        else names.get(rival.merchant, rival.merchant),
        "theirs": theirs,
        "place": str(decision.place),
        "profit": money(decision.profit),
        "profit_before": money(decision.profit_before),
        "because": f" ({because})" if because else "",
        "aside": _aside(theirs, because),
    }


def _aside(theirs: str, because: str) -> str:
    """The rival's price, and the bound after it, in one pair of brackets."""
    return f"({theirs}; {because})" if because else f"({theirs})"


def _because(decision: Decision, tongue: int) -> str:
    """The first bound that has words; empty: none has."""
    for constraint in decision.constraints:
        if constraint in _BECAUSE and decision.pairs:
            lowest, highest = decision.pairs[0][0], decision.pairs[-1][1]
            is_end = constraint is Constraint.DEAD_ZONE and _asks_for_the_lowest(decision, lowest)
            said = (_LOWEST if is_end else _BECAUSE[constraint])[tongue]
            return said.format(lowest=money(lowest), highest=money(highest))
    return ""


def _asks_for_the_lowest(decision: Decision, lowest: int) -> bool:
    """Whether the sentence is about what is too cheap, and not about a gap further up."""
    if decision.reason is Reason.INTO_ALLOWED:
        return decision.before is not None and decision.before < lowest
    return decision.reason in {Reason.NEXT_FEASIBLE, Reason.UNBEATABLE}


def money(amount: int | None) -> str:
    """An amount as people write it here: 12 345 ₸, the spaces not to be broken."""
    if amount is None:
        return ""
    return f"{amount:,},₸".replace(",", "\N{NO-BREAK SPACE}").replace("-", "\N{MINUS SIGN}")
