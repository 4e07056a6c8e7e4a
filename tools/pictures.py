"""Draw what the engine decides: the pictures of docs/, made from real decisions."""

import re
import textwrap
from collections.abc import Mapping
from io import StringIO
from typing import Any

import msgspec
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from domain.intervals import Intervals
from domain.pricing import Decision
from repricer.allowed import Plan
from repricer.costs import Costs
from repricer.decision import decide
from repricer.explain import english, money, russian
from repricer.spoken import plan_of, read
from repricer.tariffs import packaged

INK, MUTED, PAPER, EDGE = "#1b1f24", "#57606a", "#ffffff", "#d0d7de"
US, RIVAL, ALLOWED, DEAD = "#0b6bcb", "#c2410c", "#bfe3cf", "#f6c9c0"
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": EDGE,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}
#: Signs on a line below a picture; Cyrillic is wider.
_LINE = 116
#: Prices nearer than this in tenge share a label.
_CLOSE = 150
#: Arrows over more tenge than this are flat.
_FAR = 1_500

#: From 9,000 to 12,000 within one town at 1 kg: 10,000 to 10,561 is a dead zone.
_RULE: Mapping[str, Any] = {"floor": 9_000, "ceiling": 12_000, "cost": 6_000, "zone": "city"}


def _scene(own: int, rivals: Mapping[str, int], **rule: object) -> Mapping[str, Any]:
    """A situation in the words of `scrapy decide`."""
    offers = [{"merchant": merchant, "price": price} for merchant, price in rivals.items()]
    return {"store": "us", "current": own, "offers": offers, "rule": {**_RULE, **rule}}


_BOARD = {"A": 9_500, "B": 10_900, "C": 11_600}
#: Each picture of docs/strategies.md, and the situation that it shows.
SCENES: Mapping[str, Mapping[str, Any]] = {
    "undercut": _scene(9_900, _BOARD, strategy="undercut"),
    "match": _scene(9_900, _BOARD, strategy="match"),
    "position": _scene(9_900, _BOARD, strategy="position", position=2),
    "follow": _scene(9_900, _BOARD, strategy="follow", follow="B", offset=-100),
    "premium": _scene(9_300, _BOARD, strategy="premium", premium=300),
    "profit": _scene(9_900, {"A": 9_600, "B": 11_900}, strategy="profit", cost=7_000),
    "hold": _scene(9_900, _BOARD, strategy="hold"),
    "first": _scene(9_300, {"A": 9_800, "B": 10_900}),
    "unreachable": _scene(9_900, {"A": 8_700, "B": 9_600, "C": 10_900}),
    "unbeatable": _scene(9_300, {"A": 8_500, "B": 8_800}),
    "alone": _scene(9_900, {}),
    "tie": _scene(9_500, {"A": 9_500, "B": 10_900}),
    "dead_zone": _scene(9_300, {"A": 10_400, "B": 11_600}),
    "review": _scene(11_900, {"A": 8_200, "B": 11_600}, floor=8_000, cost=5_000),
}


def pictures() -> dict[str, str]:
    """The text of each picture, by its name in docs/pictures/; the same code makes the same."""
    with rc_context({**_STYLE, "svg.hashsalt": "pictures"}):
        drawn = {f"{name}.svg": _drawn(_scenery(scene)) for name, scene in SCENES.items()}
        return {**drawn, "profit_by_price.svg": _drawn(_profit_by_price())}


def decided(scene: Mapping[str, Any]) -> tuple[Decision, Plan]:
    """What the engine answers to a scene."""
    situation, rule = read(msgspec.json.encode(scene))
    plan = plan_of(situation, rule, packaged())
    return decide(situation, plan), plan


def _drawn(figure: Figure) -> str:
    """The figure as SVG on a ground of its own, so that it is seen on a dark page, too."""
    text = StringIO()
    figure.savefig(text, format="svg", facecolor=PAPER, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _scenery(scene: Mapping[str, Any]) -> Figure:
    """The line of prices: what is allowed, who asks what, where we go and why."""
    decision, plan = decided(scene)
    lines = [line for said in (english, russian) for line in textwrap.wrap(said(decision), _LINE)]
    tall = 1.95 + 0.2 * len(lines)
    figure = Figure(figsize=(7.4, tall))
    axes = figure.add_axes((0.02, 1 - 1.75 / tall, 0.96, 1.7 / tall))
    prices = [each.price for each in decision.rivals]
    around = [*prices, *(each.price for each, _ in decision.dropped), 8_600, 12_300]
    low, high = min(around) - 250, max(around) + 250
    axes.set_xlim(low, high)
    axes.set_ylim(-1.6, 1.85)
    axes.axis("off")
    _grounds(axes, plan, low, high)
    axes.plot([low, high], [0, 0], color=INK, linewidth=1, zorder=2)
    for price in range(-(-low // 500) * 500, high, 500):
        axes.plot([price, price], [-0.07, 0.07], color=INK, linewidth=0.8)
    _rivals(axes, decision)
    _ours(axes, decision)
    figure.text(0.02, 1 - 1.82 / tall, "\n".join(lines), va="top", fontsize=8, linespacing=1.5)
    return figure


def _grounds(axes: Axes, plan: Plan, low: int, high: int) -> None:
    """The allowed prices, and between floor and ceiling those that are dead."""
    dead = plan.costs.dead_zones if plan.costs else Intervals()
    floor, ceiling = plan.rule.floor or low, plan.rule.ceiling or high
    grounds = ((plan.allowed, ALLOWED, "allowed"), (dead.within(floor, ceiling), DEAD, "dead zone"))
    for zones, colour, name in grounds:
        for begin, end in zones.within(low, high):
            axes.axvspan(begin, end, ymin=0.42, ymax=0.51, color=colour, linewidth=0)
            said = f"{name}\n{_plain(begin)}-{_plain(end)}"
            axes.text((begin + end) / 2, 1.3, said, ha="center", fontsize=6.5, color=MUTED)


def _rivals(axes: Axes, decision: Decision) -> None:
    """Whoever asks what above the line; those who are no rivals are pale."""
    for rival in decision.rivals:
        axes.plot(rival.price, 0, "o", color=RIVAL, markersize=8, zorder=3)
        told = f"{rival.merchant}\n{_plain(rival.price)}"
        axes.text(rival.price, 0.35, told, ha="center", color=RIVAL, linespacing=1.25)


def _ours(axes: Axes, decision: Decision) -> None:
    """Our price before and after, below the line; a ring is where we were."""
    before, after = decision.before or 0, decision.price
    look: dict[str, Any] = {"marker": "s", "color": US, "markersize": 8, "zorder": 4}
    filled = after is None
    axes.plot(before, 0, **look, markerfacecolor=US if filled else PAPER)
    if after is None:
        _label(axes, before, f"we stay\n{_plain(before)}")
        return
    asked = decision.action == "review"
    axes.plot(after, 0, **look, markerfacecolor=PAPER if asked else US)
    if abs(after - before) < _CLOSE:
        _label(axes, after, f"before {_plain(before)}\nafter {_plain(after)}")
        return
    bend = (0.35 if abs(after - before) < _FAR else 0.14) * (-1 if after < before else 1)
    arrow: dict[str, Any] = {
        "arrowstyle": "-|>", "color": US, "linewidth": 1.4, "shrinkA": 6, "shrinkB": 6,
        "connectionstyle": f"arc3,rad={bend}", "linestyle": ":" if asked else "-",
    }  # fmt: skip
    axes.annotate("", xy=(after, -0.1), xytext=(before, -0.1), arrowprops=arrow)
    left = after < before
    _label(axes, before, f"before\n{_plain(before)}", "left" if left else "right")
    word = "a person looks" if asked else "after"
    _label(axes, after, f"{word}\n{_plain(after)}", "right" if left else "left")


def _label(axes: Axes, price: int, told: str, side: str = "center") -> None:
    if price < axes.get_xlim()[0] + _FAR // 3:
        side = "left"
    axes.text(price, -1.4, told, ha=side, color=US, linespacing=1.25)


def _profit_by_price() -> Figure:
    """What a sale leaves by its price, and the prices at which a lower one leaves as much."""
    sale = _costs()
    prices = range(700, 12_500, 1)
    left = [sale.left(price) / 10_000 for price in prices]
    figure = Figure(figsize=(7.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for begin, end in sale.dead_zones.within(prices[0], prices[-1]):
        axes.axvspan(begin, end, color=DEAD, linewidth=0)
        axes.annotate(
            f"{_plain(begin)}-{_plain(end)}",
            (begin, sale.left(begin) / 10_000),
            xytext=(7, -10),
            textcoords="offset points",
            color=RIVAL,
            fontsize=8,
        )
        axes.plot(begin - 1, sale.left(begin - 1) / 10_000, "o", color=US, markersize=4)
    _stretches(axes, prices, left, [begins for begins, _ in sale.steps])
    axes.set_xlabel("price, tenge · цена, тенге")
    axes.set_ylabel("left of a sale before its purchase cost\nостаётся с продажи до закупки")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda amount, _: _plain(int(amount)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    return figure


def _costs() -> Costs:
    """The fees of a sale within one town at 1 kg. Raises ValueError when the tables have none."""
    _, plan = decided(SCENES["hold"])
    if plan.costs is None:
        raise ValueError("a rule with a cost reckons without fees: look at repricer/tariffs")
    return plan.costs


def _stretches(axes: Axes, prices: range, left: list[Any], steps: list[int]) -> None:
    """A line between each two steps of the fee, none across them."""
    ends = [*(begins for begins in steps if begins > prices[0]), prices[-1] + 1]
    begins = prices[0]
    for end in ends:
        part = slice(begins - prices[0], end - prices[0])
        axes.plot(prices[part], left[part], color=US, linewidth=1.6)
        begins = end


def _plain(amount: int) -> str:
    """An amount without its sign: 12 345."""
    return money(amount).removesuffix("₸").strip()
