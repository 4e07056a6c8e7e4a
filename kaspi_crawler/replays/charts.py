"""Charts of a replay as SVG: small enough for a phone, coloured by the page that holds them.

matplotlib is loaded when a chart is drawn. Colours are written as names of CSS variables, so that
the page chooses them for a light or a dark screen.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from domain.moments import ALMATY
from domain.past import Outcome, Replayed
from kaspi_crawler.replays.wording import called

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

#: Colours that stand for a variable of the page until the picture is written.
INK, MUTED, GRID = "#010101", "#010102", "#010103"
SERIES = tuple(f"#0101{number:02x}" for number in range(0x10, 0x18))
_VARIABLES: Mapping[str, str] = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES)},
}
#: Inches, of which a page makes its own width; a phone shows them at their size.
_WIDE, _TALL = 4.6, 4.2
#: More points than a screen has dots.
_MOST_POINTS = 1_200
_STYLE: Any = {  # matplotlib spells out each of its 300 keys, and a mapping is none of them
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.facecolor": "none",
}


def profits(outcomes: Sequence[Outcome], salt: str) -> str:
    """The profit of each way as a bar, and between which others it lies as a line."""
    with _styled(salt):
        figure, axes = _figure(0.6 + 0.42 * len(outcomes))
        axes.grid(axis="y", visible=False)
        for row, outcome in enumerate(outcomes):
            _bar(axes, row, outcome)
        axes.set_yticks(range(len(outcomes)), [_both(one.name) for one in outcomes], color=INK)
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(_whole_numbers())
        axes.xaxis.set_major_formatter(_thousands)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_xlabel("₸ / 100 покупателей · buyers")
        return _drawn(figure)


def prices(replayed: Replayed, salt: str) -> str:
    """How the prices moved, and below them the places."""
    with _styled(salt):
        figure, (upper, lower) = _figures()
        _step(upper, replayed.cheapest, (MUTED, 0.9, ":"), "дешевле всех · cheapest rival")
        for number, trace in enumerate(replayed.traces):
            told = [(point.at, point.price) for point in trace.points]
            _step(upper, told, _look(number), _both(trace.name))
            places = [(point.at, point.place) for point in trace.points]
            _step(lower, places, _look(number), "_")
        upper.yaxis.set_major_formatter(_thousands)
        upper.set_ylabel("цена · price, ₸")
        lower.set_ylabel("место")
        lower.invert_yaxis()
        lower.yaxis.set_major_locator(_whole_numbers())
        _dated(lower)
        figure.legend(
            loc="outside upper left", ncols=2, fontsize=9, handlelength=1.2, columnspacing=1.0
        )
        return _drawn(figure)


def _look(number: int) -> tuple[str, float, str]:
    """The real prices are drawn in ink and thicker, each rule in a colour of its own."""
    return (INK, 1.6, "-") if number == 0 else (SERIES[(number - 1) % len(SERIES)], 1.3, "-")


def _both(name: str) -> str:
    said = called(name)
    return said.en if said.en == said.ru else f"{said.ru} · {said.en}"


def _bar(axes: "Axes", row: int, outcome: Outcome) -> None:
    profit, (colour, *_) = outcome.profit, _look(row)
    if profit is None:
        return
    axes.barh(row, profit.middle, height=0.5, color=colour, alpha=0.75)
    axes.plot([profit.low, profit.high], [row, row], color=INK, linewidth=1.1, marker="|")


def _step(
    axes: "Axes", points: Sequence[tuple[datetime, int]], look: tuple[str, float, str], label: str
) -> None:
    """A line with steps; a label that begins with an underscore does not go into the legend."""
    colour, width, style = look
    thinned = points[:: max(1, -(-len(points) // _MOST_POINTS))]
    if points and thinned[-1] != points[-1]:
        thinned = [*thinned, points[-1]]
    moments, values = _dates([at for at, _ in thinned]), [value for _, value in thinned]
    axes.plot(
        moments, values, drawstyle="steps-post", color=colour, linewidth=width, linestyle=style,
        label=label,
    )  # fmt: skip


def _dates(moments: Sequence[datetime]) -> Any:
    """Moments as matplotlib counts them."""
    from matplotlib.dates import date2num  # noqa: PLC0415

    return date2num(list(moments))  # type: ignore[no-untyped-call]


def _dated(axes: "Axes") -> None:
    """Days and hours in Almaty time, without names of months: two languages read them."""
    from matplotlib import dates  # noqa: PLC0415

    locator = dates.AutoDateLocator(tz=ALMATY, minticks=3, maxticks=5)  # type: ignore[no-untyped-call]
    formatter = dates.ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        tz=ALMATY,
        formats=["%Y", "%m.%Y", "%d.%m", "%H:%M", "%H:%M", "%H:%M:%S"],
        zero_formats=["%Y", "%Y", "%d.%m", "%d.%m", "%H:%M", "%H:%M"],
        offset_formats=["", "%Y", "%Y", "%d.%m.%Y", "%d.%m.%Y", "%d.%m.%Y"],
    )
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)


def _whole_numbers() -> "Locator":
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(nbins=3, integer=True)


def _thousands(value: float, _place: object) -> str:
    """A tick of an axis: whole tenge as people write them."""
    return f"{value:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def _styled(salt: str) -> Any:
    """The style of a chart, in which the same data make the same bytes."""
    from matplotlib import rc_context  # noqa: PLC0415  (a second that only charts need)

    return rc_context({**_STYLE, "svg.hashsalt": salt})


def _figure(tall: float) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(_WIDE, tall), layout="constrained")
    return figure, figure.subplots()


def _figures() -> tuple["Figure", Sequence["Axes"]]:
    """Two charts that share their time, the upper one the taller."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(_WIDE, _TALL), layout="constrained")
    return figure, figure.subplots(2, sharex=True, height_ratios=(5, 2))


def _drawn(figure: "Figure") -> str:
    """The figure as an element of a page: without a head, foreign names or fixed size."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:xmlns(?::xlink)?|version|width|height)="[^"]*"', "", svg, count=5)
    # Numbers of parts are the same in each figure, and a page may hold a name once.
    svg = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg
