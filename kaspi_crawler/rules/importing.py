"""A file of rules, from its bytes to what would hold: read, and checked against what is kept."""

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from domain.identity import MerchantId
from kaspi_crawler.rules.checks import Kept, Outcome, check
from kaspi_crawler.rules.looked import Looked
from kaspi_crawler.rules.wishes import Wish, read_wishes


@attrs.frozen
class Proposal:
    """What a file would change; `seen` is the last change of the rules that was known then."""

    looked: Looked
    outcome: Outcome = attrs.field(factory=Outcome)
    seen: int = 0


@contextmanager
def _without_collector() -> Iterator[None]:
    """A million small values live until the end: a search for garbage among them finds none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_without_collector()
def look(
    path: Path, store: MerchantId | None, address_of: Callable[[], str], *, partial: bool
) -> Proposal:
    """Read and check a file; the database is asked for what is kept. Raises BadArgument, OSError.

    With `partial`, rows with mistakes are left out, and the others are checked without them. A
    store whose defaults are wrong is left out whole: its rows may count on them.
    """
    told = read_wishes(path, store)
    if not told.wishes:
        return Proposal(Looked.of(told.reading, told.rows, 0))
    seen, kept = _kept(address_of(), told.wishes)
    wishes = _usable(told.wishes, ()) if partial else told.wishes
    outcome = check(wishes, kept)
    mistakes = list(outcome.mistakes)
    while partial and outcome.wrong:
        wishes = _usable(wishes, outcome.wrong)
        outcome = check(wishes, kept)
        mistakes += outcome.mistakes
    looked = Looked.of(
        told.reading,
        told.rows,
        len(wishes),
        mistakes,
        warnings=outcome.warnings,
        erased=outcome.erased,
    )
    return Proposal(looked, outcome, seen)


def _usable(wishes: Sequence[Wish], wrong: Collection[Wish]) -> list[Wish]:
    """The right ones, of stores whose defaults are right."""
    bad = [wish for wish in wishes if not wish.right or wish in wrong]
    spoilt = {wish.rule.store for wish in bad if not wish.rule.sku}
    return [wish for wish in wishes if wish not in bad and wish.rule.store not in spoilt]


def _kept(address: str, wishes: Sequence[Wish]) -> tuple[int, Kept]:
    from storage import listings, rules  # noqa: PLC0415  (mistakes are told before it is loaded)

    seen = rules.latest(address)
    stores = sorted({wish.rule.store for wish in wishes})
    lines = [line for store in stores for line in rules.lines(address, store)]
    return seen, Kept.of(lines, listings.known(address, stores))
