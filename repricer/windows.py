"""Parts of the day: when a rule works, when it holds, when it goes up for the night."""

from datetime import datetime

from domain.moments import ALMATY
from domain.pricing import Doing, Window


def doing_at(windows: tuple[Window, ...], now: datetime | None) -> Doing:
    """What the windows say of this moment; the first that holds it decides.

    Between windows a rule holds when some of them are for work, and works when none is. Raises
    ValueError when there are windows and no moment.
    """
    if not windows:
        return Doing.WORK
    if now is None:
        raise ValueError("a rule with windows needs to know the moment")
    local = now.astimezone(ALMATY)
    minute, day = local.hour * 60 + local.minute, local.isoweekday()
    for window in windows:
        if _holds(window, minute, day):
            return window.doing
    return Doing.HOLD if any(window.doing is Doing.WORK for window in windows) else Doing.WORK


def _holds(window: Window, minute: int, day: int) -> bool:
    if window.begins < window.ends:
        return window.begins <= minute < window.ends and day in window.days
    yesterday = (day - 2) % 7 + 1
    return (minute >= window.begins and day in window.days) or (
        minute < window.ends and yesterday in window.days
    )
