"""What came of looking at a file, of whatever kind it is."""

from collections.abc import Iterable

import attrs

from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.rules.tables import Reading
from kaspi_crawler.said import Said


@attrs.frozen(kw_only=True)
class Looked:
    """`mistakes` and `warnings` stand in the order of the file.

    `spoilt` says that no row can be used; `left_out` counts the rows that cannot. `erased` are
    values that hold now, and are taken back by empty cells.
    """

    rows: int
    mistakes: list[Mistake]
    warnings: list[Mistake] = attrs.field(factory=list)
    erased: list[Mistake] = attrs.field(factory=list)
    notes: list[Said]
    spoilt: bool
    left_out: int

    @property
    def told(self) -> list[Mistake]:
        """All that is said of cells, the worst first."""
        return [*self.mistakes, *self.erased, *self.warnings]

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes

    @classmethod
    def of(
        cls,
        reading: Reading,
        rows: int,
        used: int,
        more: Iterable[Mistake] = (),
        *,
        warnings: Iterable[Mistake] = (),
        erased: Iterable[Mistake] = (),
    ) -> "Looked":
        """The result of a reading, of whose rows some can be used, and of what was found later."""
        in_rows = sorted([*reading.mistakes, *more], key=_order)
        return cls(
            rows=rows,
            mistakes=[*reading.spoilt, *in_rows],
            warnings=sorted(warnings, key=_order),
            erased=sorted(erased, key=_order),
            notes=reading.notes,
            spoilt=bool(reading.spoilt),
            left_out=rows - used,
        )


def _order(mistake: Mistake) -> tuple[str, int, int]:
    place = mistake.place
    return (place.sheet or "", place.row or 0, -1 if place.column is None else place.column)
