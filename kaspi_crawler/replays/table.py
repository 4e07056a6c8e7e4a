"""A replay as a table on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from domain.past import Outcome
from kaspi_crawler.replays.wording import CAVEATS, HEADS, NO_COST, called, cells, spanned

#: The columns need so many signs; where there is no terminal, nothing is cut.
_WIDTH = 170


def show(outcomes: Sequence[Outcome], console: Console | None = None) -> None:
    """Print one row a way of pricing, then what a replay cannot know."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console = Console(file=console.file, width=_WIDTH, highlight=False)
    table = Table(title=spanned(outcomes[0]).en, title_justify="left")
    table.add_column("")
    for head in HEADS:
        table.add_column(head.en, justify="right")
    for outcome in outcomes:
        figures = ("\n".join(filter(None, cell)) for cell in cells(outcome))
        table.add_row(called(outcome.name).en, *figures)
    console.print(table)
    if outcomes[0].profits is None:
        console.print(NO_COST.en)
    for caveat in CAVEATS:
        console.print(caveat.en)
