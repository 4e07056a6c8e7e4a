"""The report as a table."""

import os
import platform
from collections.abc import Sequence

from rich.table import Table

from benchmarks.measure import Line


def table(lines: Sequence[Line]) -> Table:
    """The lines under the headings of their sections."""
    shown = Table(title=machine(), title_justify="left")
    for heading in ("", "ours", "theirs"):
        shown.add_column(heading, justify="left" if not heading else "right")
    shown.add_column("ratio", justify="right")
    shown.add_column("goal", justify="right")
    shown.add_column("")
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            shown.add_section()
            shown.add_row(f"[bold]{section}")
        figure = "" if line.ratio is None else f"{line.ratio:.2f}"
        goal = "" if line.goal is None else f"{line.goal:g} {line.verdict}"
        shown.add_row(f"  {line.name}", line.ours, line.theirs, figure, goal, line.remark)
    return shown


def machine() -> str:
    """What it was measured on."""
    load = os.getloadavg()[0]
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}"
