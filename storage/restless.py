"""How often rivals change a board: a count in which each change fades, kept beside the board."""

from typing import LiteralString

#: Seconds in which what was counted is halved: what lies a week back still counts a fifth.
_HALVED_IN: LiteralString = "259200"


def faded(count: LiteralString, since: LiteralString, now: LiteralString) -> LiteralString:
    """SQL: what is left of a count that was last added to at a moment; 0 without one."""
    return f"coalesce(round({count} * {_left(since, now)})::bigint, 0)"


def faded_seconds(since: LiteralString, now: LiteralString) -> LiteralString:
    """SQL: the seconds since a moment, each faded like the changes that were seen in it."""
    return f"round({_HALVED_IN} / ln(2) * (1 - {_left(since, now)}))::bigint"


def _left(since: LiteralString, now: LiteralString) -> LiteralString:
    """SQL: the part that is left of 1."""
    seconds: LiteralString = f"greatest(extract(epoch FROM {now} - {since}), 0)"
    return f"power(0.5::float8, {seconds}::float8 / {_HALVED_IN})"
