"""A replay as CSV: a line for each change of price, and for each that a person would have seen."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

import attrs

from domain.moments import ALMATY
from domain.past import Board
from domain.pricing import Decision
from repricer.explain import english, russian
from repricer.replay import Step
from storage.files import whole_file

_COLUMNS = (
    "product", "city", "way", "moment", "action", "before", "price", "place_before", "place",
    "cheapest_other", "real_price", "profit_before", "profit", "reason", "en", "ru",
)  # fmt: skip


@contextmanager
def lines_in(path: Path) -> Iterator["Lines"]:
    """Lines of a file that appears when it is whole."""
    with whole_file(path.resolve()) as file:
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        yield Lines(text)
        text.flush()
        text.detach()


class Lines:
    """Writes a line for each change of price, and for each that a person would have been shown."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(_COLUMNS)

    def of(self, board: Board, names: Sequence[str]) -> "_BoardLines":
        """The lines of one board."""
        return _BoardLines(self._writer, (board.product, board.city), names)


@attrs.define
class _BoardLines:
    """Writes the lines of one board."""

    _writer: Any
    _where: tuple[str, str]
    _names: Sequence[str]
    _before: int | None = None

    def add(self, step: Step) -> None:
        """Write what changed in this step."""
        span = step.real.spans[0]
        if step.real.change is not None:
            self._write(step, "real", "real", self._before, span.price, None, span.place)
        self._before = span.price
        for name, stand in zip(self._names, step.tried, strict=True):
            if stand.decision is not None and (stand.change is not None or stand.asks):
                self._write(step, name, *_figures(stand.decision))

    def _write(self, step: Step, name: str, *figures: object) -> None:
        at = step.at.astimezone(ALMATY).isoformat(timespec="seconds")
        cheapest = step.others[0] if step.others else None
        around = (cheapest, step.real.spans[0].price)
        row = (*self._where, name, at, *figures[:5], *around, *figures[5:])
        self._writer.writerow(["" if cell is None else cell for cell in row])


def _figures(decision: Decision) -> Iterator[object]:
    """What a line says of a decision."""
    yield from (decision.action, decision.before, decision.price)
    yield from (decision.place_before, decision.place)
    yield from (decision.profit_before, decision.profit, decision.reason)
    yield from (english(decision), russian(decision))
