"""The words of a replay's table and page, and amounts as people read them."""

from collections.abc import Iterator

from domain.past import Board, Outcome, Range
from kaspi_crawler.said import Said, same, spaced

_NAMES = {
    "undercut": Said("undercut", "ниже конкурента"),
    "match": Said("match", "вровень"),
    "position": Said("position", "место"),
    "follow": Said("follow", "за продавцом"),
    "premium": Said("premium", "надбавка"),
    "hold": Said("hold", "держать"),
    "profit": Said("profit", "прибыль"),
    "real": Said("real prices", "как было"),
}
_RIVALS = Said(
    en="Rivals do not answer: they do what they did. A rule that they would have followed "
    "down looks better here than it was.",
    ru="Конкуренты не отвечают: они делают то, что делали. Правило, вслед за которым они "
    "снизили бы цены, выглядит здесь лучше, чем было бы.",
)
_SHARES = Said(
    en="How many buyers each place gets is an assumption until it is measured on own orders. "
    "The range shows the profit when the first place takes more of them or less, and when of "
    "equal prices ours is taken or the other.",
    ru="Сколько покупателей получает каждое место — предположение, пока это не измерено на "
    "своих заказах. Диапазон показывает прибыль, если первое место берёт их больше или меньше "
    "и если из равных цен выбирают нашу или чужую.",
)
_PRICES = Said(
    en="Only prices make a place here, and a dearer product is taken to sell as often: "
    "delivery, ratings and buyers who wait are not reckoned.",
    ru="Место здесь определяет только цена, и считается, что подорожавший товар покупают "
    "так же часто: доставка, рейтинги и те, кто ждёт скидки, не учтены.",
)
_REVIEWS = Said(
    en="Prices that a rule would have shown to a person first (reviews) are not set here.",
    ru="Цены, которые правило сначала показало бы человеку (на проверку), здесь не ставятся.",
)
#: What a replay cannot know; told each time.
CAVEATS = (_RIVALS, _SHARES, _PRICES, _REVIEWS)
NO_COST = Said(
    en="No cost is known, so no profit: say --cost, or --cost-bp for a first look.",
    ru="Себестоимость неизвестна, поэтому прибыли нет: укажите --cost или --cost-bp.",
)


def called(name: str) -> Said:
    """A way of pricing, as people call it."""
    return _NAMES.get(name, same(name))


def spanned(real: Outcome) -> Said:
    """How much was replayed."""
    length = days(real.seconds)
    if real.listings == 1:
        return Said(f"1 listing, {length} days", f"1 товар, дней: {length}")
    count = f"{real.listings:,}"
    return Said(
        f"{count} listings, {length} days of them together; profits are averages of a listing",
        f"товаров: {spaced(real.listings)}, дней вместе: {length}; прибыль в среднем на товар",
    )


def titled(board: Board) -> str:
    """A board as people know it."""
    name = "" if board.name is None else f"{board.name}, "
    return f"{name}{board.product}, {board.city}"


def money(amount: int) -> str:
    """An amount with its spaces not to be broken: 12 345 ₸."""
    return f"{amount:,}\N{NO-BREAK SPACE}₸".replace(",", "\N{NO-BREAK SPACE}")


def between(amounts: Range | None) -> str:
    """From the least to the most."""
    if amounts is None or amounts.low == amounts.high:
        return ""
    low = money(amounts.low).removesuffix("₸").rstrip()
    return f"{low} … {money(amounts.high)}"


def percent(points: int) -> str:
    """Basis points as percent, with one digit."""
    return f"{points // 100}.{points % 100 // 10}\N{NO-BREAK SPACE}%"


def place(hundredths: int) -> str:
    """A mean place with one digit."""
    return f"{hundredths // 100}.{hundredths % 100 // 10}"


def a_day(outcome: Outcome) -> str:
    """Changes a day and listing, with one digit."""
    tenths = outcome.changes * 864_000 // max(1, outcome.seconds)
    return f"{tenths // 10}.{tenths % 10}"


def days(seconds: int) -> str:
    """A duration in days, with one digit."""
    tenths = seconds * 10 // 86_400
    return f"{tenths // 10}.{tenths % 10}"


def cells(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """The figures of an outcome in the order of HEADS, each with its range or nothing."""
    gain = None if outcome.name == "real" else outcome.gain
    yield from ((_middle(amounts), between(amounts)) for amounts in (outcome.profit, gain))
    yield percent(outcome.first_bp), ""
    yield place(outcome.place), ""
    yield money(outcome.price), ""
    yield a_day(outcome), ""
    yield f"{outcome.reviews:,}", ""
    yield f"{outcome.outside:,}", ""


def _middle(amounts: Range | None) -> str:
    return "-" if amounts is None else money(amounts.middle)


#: What each cell is.
HEADS = (
    Said("profit of 100 buyers", "прибыль со 100 покупателей"),
    Said("against the real prices", "против того, как было"),
    Said("time first", "время на 1-м месте"),
    Said("mean place", "среднее место"),
    Said("mean price", "средняя цена"),
    Said("changes a day", "изменений в день"),
    Said("reviews", "на проверку"),
    Said("not allowed", "недопустимых цен"),
)
