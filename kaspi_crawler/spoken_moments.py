"""Moments as people type them: a day, a day with an hour, or so long ago."""

import re
from datetime import datetime, timedelta

from domain.moments import ALMATY, utc
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.said import Said

#: What --help says about every option that is a moment.
EXPLAINED = "2026-09-18, 2026-09-18T14:30 (Almaty time unless it names a zone), 24h or 7d ago"
_IN_RUSSIAN = "2026-09-18, 2026-09-18T14:30 (время Алматы, если пояс не назван), 24h или 7d назад"

_AGO = re.compile(r"([0-9]{1,6})\s*(m|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def spoken_moment(name: str, text: str, now: datetime) -> datetime:
    """The moment that a text names, in UTC: ISO 8601, or so long before `now` (24h, 7d).

    A moment without a zone is Almaty time, a day its midnight there.
    Raises BadArgument for anything else, and for what has not come yet.
    """
    try:
        moment = _read(text.strip(), now)
    except (ValueError, OverflowError):
        raise BadArgument(
            Said(
                f"{name}: {text!r} is no moment. A right one: {EXPLAINED}",
                f"{name}: {text!r} — не момент. Например: {_IN_RUSSIAN}",
            )
        ) from None
    if moment > now:
        raise BadArgument(
            Said(
                f"{name}: {text!r} has not come yet. A right one: {EXPLAINED}",
                f"{name}: {text!r} ещё не наступил. Например: {_IN_RUSSIAN}",
            )
        )
    return moment


def _read(text: str, now: datetime) -> datetime:
    if ago := _AGO.fullmatch(text):
        return utc(now - timedelta(**{_UNITS[ago[2].lower()]: int(ago[1])}))
    moment = datetime.fromisoformat(text)
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=ALMATY))
