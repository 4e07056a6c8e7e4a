"""Windows of the day in one cell: `22:00-07:00 hold; 09:00-18:00 work mon-fri`."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from kaspi_crawler.rules.words import WORDS
from kaspi_crawler.said import Language

_EVERY_DAY = list(range(1, 8))
_RUSSIAN_DAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_ENGLISH_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_NAMES = (
    "понедельник вторник среда четверг пятница суббота воскресенье",
    "monday tuesday wednesday thursday friday saturday sunday",
)
_DAYS: Mapping[str, int] = {
    name: number
    for names in (_RUSSIAN_DAYS, _ENGLISH_DAYS, *(names.split() for names in _FULL_NAMES))
    for number, name in enumerate(names, start=1)
}
_SEVERAL: Mapping[str, list[int]] = {
    "будни": [1, 2, 3, 4, 5],
    "weekdays": [1, 2, 3, 4, 5],
    "выходные": [6, 7],
    "weekends": [6, 7],
    "ежедневно": _EVERY_DAY,
    "daily": _EVERY_DAY,
}
_DASH = r"\s*[-–—]\s*"
_HOUR = r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))?"
_HOURS = re.compile(rf"(?<![\d:.]){_HOUR}{_DASH}{_HOUR}(?![\d:.])")


def read_windows(text: str) -> list[dict[str, Any]] | None:
    """The windows as a rule has them, None for a text that is none."""
    parts = [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    windows = [_window(part.casefold()) for part in parts]
    return [window for window in windows if window is not None] if all(windows) else None


def written(windows: Iterable[Mapping[str, Any]], language: Language) -> str:
    """Windows in the notation that `read_windows` reads."""
    return "; ".join(_written(window, language) for window in windows)


def _window(text: str) -> dict[str, Any] | None:
    hours = _HOURS.search(text)
    if not hours:
        return None
    begins, ends = _clock(hours[1], hours[2]), _clock(hours[3], hours[4])
    rest = f"{text[: hours.start()]} {text[hours.end() :]}"
    told = [word for word in re.split(r"[\s,]+", re.sub(_DASH, "-", rest)) if word]
    doing, named = _sorted_out(told)
    days = [_several_days(word) for word in named]
    if begins is None or ends is None or doing is None or not all(days):
        return None
    window: dict[str, Any] = {"from": begins, "to": ends, "do": doing}
    wanted = sorted({day for some in days for day in some or ()})
    return window if wanted in ([], _EVERY_DAY) else {**window, "days": wanted}


def _clock(hours: str, minutes: str | None) -> str | None:
    text = f"{int(hours):02}:{minutes or '00'}"
    return text if text <= "24:00" else None


def _sorted_out(words: list[str]) -> tuple[str | None, list[str]]:
    """What to do, which may be two words, and the words that must be days."""
    days = [word for word in words if _several_days(word)]
    doing = WORDS["do"].found(" ".join(word for word in words if word not in days))
    return doing, days


def _several_days(word: str) -> list[int] | None:
    """The days of `пн`, `mon-fri`, `weekends` or `6`."""
    if word in _SEVERAL:
        return _SEVERAL[word]
    ends = [_day(end.rstrip(".")) for end in word.split("-")]
    if len(ends) > 2 or None in ends:
        return None
    first, last = ends[0] or 0, ends[-1] or 0
    return [(first + step - 1) % 7 + 1 for step in range((last - first) % 7 + 1)]


def _day(name: str) -> int | None:
    return int(name) if re.fullmatch("[1-7]", name) else _DAYS.get(name)


def _written(window: Mapping[str, Any], language: Language) -> str:
    doing = WORDS["do"].name(str(window["do"]), language)
    days = sorted(window.get("days") or _EVERY_DAY)
    hours = f"{window['from']}-{window['to']} {doing}"
    return hours if days == _EVERY_DAY else f"{hours} {_named_days(days, language)}"


def _named_days(days: list[int], language: Language) -> str:
    """Days that follow each other as a stretch: `пн-ср,сб`."""
    names = _RUSSIAN_DAYS if language is Language.RUSSIAN else _ENGLISH_DAYS
    stretches = (
        [day for _, day in run] for _, run in groupby(enumerate(days), lambda at: at[1] - at[0])
    )
    return ",".join(
        names[run[0] - 1] + (f"-{names[run[-1] - 1]}" if len(run) > 1 else "") for run in stretches
    )
