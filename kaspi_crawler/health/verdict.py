"""One verdict of the doctor, and how it is written down."""

from collections.abc import Iterable, Iterator
from enum import Enum

import attrs

#: Columns of the mark and of the subject.
_INDENT = 16


class State(Enum):
    """How one part is; the value is its mark, then its mark where there is only ASCII."""

    WELL = ("✓", "+")
    DOUBTFUL = ("!", "!")
    WRONG = ("✗", "x")


@attrs.frozen(kw_only=True)
class Verdict:
    """How one part of the set-up is; what is not well has a remedy."""

    subject: str
    state: State
    said: str
    remedy: str = ""

    @classmethod
    def well(cls, subject: str, said: str) -> "Verdict":
        """Nothing to do."""
        return cls(subject=subject, state=State.WELL, said=said)

    @classmethod
    def doubtful(cls, subject: str, said: str, remedy: str) -> "Verdict":
        """It works, but not as it should."""
        return cls(subject=subject, state=State.DOUBTFUL, said=said, remedy=remedy)

    @classmethod
    def wrong(cls, subject: str, said: str, remedy: str) -> "Verdict":
        """A crawl would fail."""
        return cls(subject=subject, state=State.WRONG, said=said, remedy=remedy)


def lines(verdict: Verdict, *, plain: bool) -> Iterator[str]:
    """The verdict as lines of a table; plain ones have marks of ASCII."""
    mark = verdict.state.value[plain]
    first, *others = verdict.said.splitlines() or [""]
    yield f"{mark} {verdict.subject:<{_INDENT - 2}}{first}"
    for other in others:
        yield " " * _INDENT + other
    if verdict.remedy:
        yield f"{'':<{_INDENT}}{'->' if plain else '→'} {verdict.remedy}"


def summary(states: Iterable[State]) -> str:
    """The last line: how many parts are not well."""
    seen = list(states)
    wrong, doubtful = seen.count(State.WRONG), seen.count(State.DOUBTFUL)
    if not wrong and not doubtful:
        return "all is well"
    return f"wrong: {wrong}, doubtful: {doubtful}, well: {len(seen) - wrong - doubtful}"
