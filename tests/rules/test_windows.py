"""Windows of the day in one cell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspi_crawler.rules.windows import read_windows, written
from kaspi_crawler.said import Language

NIGHT = {"from": "22:00", "to": "07:00", "do": "hold"}

READ = {
    "one window": ("22:00-07:00 hold", [NIGHT]),
    "without minutes": ("22-7 hold", [NIGHT]),
    "in Russian": ("22.00–7.00 не менять", [NIGHT]),
    "what to do first": ("держать 22:00 - 07:00", [NIGHT]),
    "all days": ("22:00-07:00 hold пн-вс", [NIGHT]),
    "working days": ("22-7 hold будни", [{**NIGHT, "days": [1, 2, 3, 4, 5]}]),
    "over the week's end": ("22-7 hold сб-пн", [{**NIGHT, "days": [1, 6, 7]}]),
    "single days": ("22-7 hold mon, ср 5", [{**NIGHT, "days": [1, 3, 5]}]),
    "two windows": (
        "22:00-07:00 hold; 09:00-18:00 work пн-пт",
        [NIGHT, {"from": "09:00", "to": "18:00", "do": "work", "days": [1, 2, 3, 4, 5]}],
    ),
    "until midnight": ("9-24 ceiling", [{"from": "09:00", "to": "24:00", "do": "ceiling"}]),
}


@pytest.mark.parametrize(("text", "windows"), READ.values(), ids=READ)
def test_windows_are_read(text: str, windows: list[dict[str, Any]]) -> None:
    assert read_windows(text) == windows


DOINGS = st.sampled_from(["work", "hold", "ceiling"])
HOURS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
WINDOWS = st.lists(
    st.fixed_dictionaries(
        {"from": HOURS, "to": HOURS | st.just("24:00"), "do": DOINGS},
        optional={"days": st.sets(st.integers(1, 7), min_size=1, max_size=6).map(sorted)},
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@given(WINDOWS, st.sampled_from(Language))
def test_written_windows_are_read_as_they_were(
    windows: list[dict[str, Any]], language: Language
) -> None:
    assert read_windows(written(windows, language)) == windows
