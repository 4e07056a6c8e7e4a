"""Moments are aware and kept in UTC; people see them in Almaty time."""

from datetime import UTC, date, datetime, timedelta, timezone

#: One zone for the whole country since 1 March 2024 (UTC+5): midnight there is 19:00Z.
#: Spelt out because zone tables older than 2024 still say UTC+6.
ALMATY = timezone(timedelta(hours=5), "Asia/Almaty")


def utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a moment without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"moment without a zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


def almaty_date(moment: datetime) -> date:
    """The calendar day on which the moment falls for people in Kazakhstan."""
    return moment.astimezone(ALMATY).date()
