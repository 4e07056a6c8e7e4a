"""A replay as one page that needs nothing else: figures, charts, what cannot be known."""

from collections.abc import Iterator, Sequence
from html import escape

from domain.past import Outcome, Replayed
from kaspi_crawler.replays.charts import SERIES, prices, profits
from kaspi_crawler.replays.wording import CAVEATS, HEADS, NO_COST, called, cells, spanned, titled
from kaspi_crawler.said import spaced

_LIGHT = ("#0b6bcb", "#c2410c", "#0f8a5f", "#a21caf", "#8a6d00", "#0e7490", "#be123c", "#5b4bc4")
_DARK = ("#6cb2ff", "#ff9a62", "#4fd1a1", "#f08cff", "#e6c34a", "#5fd3e8", "#ff8199", "#a99bff")
_HEAD = """<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Replay · Проверка на прошлом</title>
<style>
:root {{ --ground: #ffffff; --ink: #1b1f24; --muted: #6a737d; --grid: #dfe3e8; {light} }}
@media (prefers-color-scheme: dark) {{
:root {{ --ground: #14171b; --ink: #e6e9ed; --muted: #9aa4af; --grid: #333a42; {dark} }}
}}
body {{ margin: 0 auto; padding: 1rem; max-width: 46rem; background: var(--ground);
color: var(--ink); font: 1rem/1.45 system-ui, sans-serif; }}
h1 {{ font-size: 1.35rem; }} h2 {{ font-size: 1.05rem; margin-top: 2rem; }}
small {{ display: block; color: var(--muted); font-weight: normal; font-size: .8em; }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; min-width: 100%; }}
th, td {{ padding: .35rem .5rem; text-align: right; vertical-align: top; white-space: nowrap;
border-bottom: 1px solid var(--grid); font-weight: normal; font-size: .9rem;
font-variant-numeric: tabular-nums; }}
th:first-child, td:first-child {{ position: sticky; left: 0; background: var(--ground);
text-align: left; white-space: normal; min-width: 6.5rem; padding-left: 0; font-size: .85rem; }}
th[scope=col] {{ font-weight: 600; }}
figure {{ margin: 1rem 0; }}
figure svg {{ display: block; width: 100%; max-width: 36rem; height: auto; }}
svg text {{ font-family: system-ui, sans-serif !important; }}
ul {{ padding-left: 1.1rem; }} li {{ margin: .6rem 0; }}
</style>
</head>
<body>
"""


def page(total: Sequence[Outcome], boards: Sequence[Replayed], left_out: int) -> Iterator[str]:
    """The parts of the page: all boards together, then some of them; so many have no chart."""
    yield _HEAD.format(light=_palette(_LIGHT), dark=_palette(_DARK))
    span = spanned(total[0])
    yield "<h1>Проверка на прошлом<small>Replay</small></h1>\n"
    yield f"<p>{span.ru}<small>{span.en}</small></p>\n"
    yield from _figures(total, "total")
    for number, replayed in enumerate(boards):
        yield f"<h2>{escape(titled(replayed.board))}</h2>\n"
        yield f"<figure>{prices(replayed, f'board-{number}')}</figure>\n"
        if len(boards) > 1 or left_out:
            yield from _figures(replayed.outcomes, f"profit-{number}")
    if left_out:
        yield f"<p>Товаров без графика: {spaced(left_out)}"
        yield f"<small>listings without a chart: {left_out:,}</small></p>\n"
    yield "<h2>Чего проигрыш не знает<small>What a replay cannot know</small></h2>\n<ul>\n"
    for caveat in CAVEATS:
        yield f"<li>{escape(caveat.ru)}<small>{escape(caveat.en)}</small></li>\n"
    yield "</ul>\n</body>\n</html>\n"


def _figures(outcomes: Sequence[Outcome], salt: str) -> Iterator[str]:
    if outcomes[0].profits is None:
        yield f"<p>{escape(NO_COST.ru)}<small>{escape(NO_COST.en)}</small></p>\n"
    else:
        yield f"<figure>{profits(outcomes, salt)}</figure>\n"
    yield from _table(outcomes)


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A column a way; what does not fit on a phone is reached by a swipe."""
    yield '<div class="wide"><table>\n<tr><td></td>'
    for outcome in outcomes:
        name = called(outcome.name)
        yield f'<th scope="col">{escape(name.ru)}<small>{escape(name.en)}</small></th>'
    yield "</tr>\n"
    rows = zip(*map(cells, outcomes), strict=True)
    for head, figures in zip(HEADS, rows, strict=True):
        yield f'<tr><th scope="row">{head.ru}<small>{head.en}</small></th>'
        for figure, between in figures:
            yield f"<td>{escape(figure)}<small>{escape(between)}</small></td>"
        yield "</tr>\n"
    yield "</table></div>\n"


def _palette(colours: Sequence[str]) -> str:
    return " ".join(f"--series-{n}: {colours[n]};" for n in range(len(SERIES)))
