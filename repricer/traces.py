"""How the prices of a replay moved, for those who draw them."""

from collections.abc import Sequence
from datetime import datetime

from domain.past import Board, Outcome, Point, Replayed, Trace
from repricer.replay import Stand, Step
from repricer.tally import REAL


class Tracer:
    """Keeps a point for each change of a price or its place, and forgets the rest."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = (REAL, *names)
        self._points: list[list[Point]] = [[] for _ in self._names]
        self._cheapest: list[tuple[datetime, int]] = []

    def add(self, step: Step) -> None:
        """Look at one step of a replay."""
        for points, stand in zip(self._points, (step.real, *step.tried), strict=True):
            _trace(points, stand)
        span = step.real.spans[0]
        for price in step.others[:1]:
            known = self._cheapest[-1][1] if self._cheapest else None
            if price != known or span.begins == span.ends:
                self._cheapest.append((step.at, price))

    def replayed(self, board: Board, outcomes: tuple[Outcome, ...]) -> Replayed:
        """The board with what was seen of it."""
        traced = zip(self._names, self._points, strict=True)
        return Replayed(
            board=board,
            outcomes=outcomes,
            traces=tuple(Trace(name, tuple(points)) for name, points in traced),
            cheapest=tuple(self._cheapest),
        )


def _trace(points: list[Point], stand: Stand) -> None:
    for span in stand.spans:
        point = Point(span.begins, span.price, span.place)
        is_same = points and (points[-1].price, points[-1].place) == (point.price, point.place)
        if not is_same or span.begins == span.ends:
            points.append(point)
