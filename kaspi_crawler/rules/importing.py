"""A file of rules, from its bytes to what holds: read, checked, applied, all or none."""

from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from domain.identity import MerchantId
from kaspi_crawler.rules.checks import Kept, Outcome, check
from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.rules.said import Said
from kaspi_crawler.rules.wishes import Wish, Wishes, read_wishes


@attrs.frozen(kw_only=True)
class Looked:
    """What came of looking at a file.

    `mistakes` stand in the order of the file; `fit` says whether what is right may be applied.
    `seen` is the last change of the rules that was known then, None when nothing was asked.
    """

    rows: int
    outcome: Outcome
    mistakes: list[Mistake]
    warnings: list[Mistake]
    notes: list[Said]
    spoilt: bool
    left_out: int
    seen: int | None

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes


def look(
    path: Path, store: MerchantId | None, address_of: Callable[[], str], *, partial: bool
) -> Looked:
    """Read and check a file; the database is asked for what is kept. Raises BadArgument, OSError.

    With `partial`, rows with mistakes are left out, and the others are checked without them.
    """
    told = read_wishes(path, store)
    reading = told.reading
    if not told.wishes:
        return _looked(told, Outcome(), [], None, 0)
    address = address_of()
    seen, kept = _kept(address, told.wishes)
    wishes = [wish for wish in told.wishes if wish.right] if partial else told.wishes
    outcome = check(wishes, kept)
    mistakes = list(outcome.mistakes)
    while partial and outcome.wrong:
        wishes = [wish for wish in wishes if wish not in outcome.wrong]
        outcome = check(wishes, kept)
        mistakes += outcome.mistakes
    wrong_rows = len({(m.place.sheet, m.place.row) for m in (*reading.mistakes, *mistakes)})
    return _looked(told, outcome, mistakes, seen, wrong_rows)


def _looked(
    told: Wishes, outcome: Outcome, more: Sequence[Mistake], seen: int | None, left_out: int
) -> Looked:
    reading = told.reading
    mistakes = [*reading.spoilt, *sorted([*reading.mistakes, *more], key=_order)]
    return Looked(
        rows=told.rows,
        outcome=outcome,
        mistakes=mistakes,
        warnings=sorted(outcome.warnings, key=_order),
        notes=reading.notes,
        spoilt=bool(reading.spoilt),
        left_out=left_out,
        seen=seen,
    )


def _order(mistake: Mistake) -> tuple[str, int, int]:
    place = mistake.place
    return (place.sheet or "", place.row or 0, -1 if place.column is None else place.column)


def _kept(address: str, wishes: Sequence[Wish]) -> tuple[int, Kept]:
    from storage import listings, rules  # noqa: PLC0415  (mistakes are told before it is loaded)

    seen = rules.latest(address)
    stores = sorted({wish.rule.store for wish in wishes})
    lines = [line for store in stores for line in rules.lines(address, store)]
    return seen, Kept.of(lines, listings.known(address, stores))
