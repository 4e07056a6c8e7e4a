"""Measure, side by side in one run: `python -m benchmarks`. Nothing is asserted."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from rich.console import Console

from benchmarks.measure import Line
from benchmarks.place import databases
from benchmarks.profile import profile
from benchmarks.sections import QUICK, Bench, Scale
from benchmarks.table import machine, table

#: Where the benchmarks' own PostgreSQL keeps its files, below the project's data.
_DATABASE = Path(__file__).resolve().parent.parent / ".data" / "benchmarks"
SECTIONS = (
    "offers",
    "defaults",
    "refresh",
    "extraction",
    "decisions",
    "intentions",
    "budget",
    "store",
    "memory",
    "cold_start",
)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a few seconds each")
    parser.add_argument("--full", action="store_true", help="memory over 50,000 boards")
    parser.add_argument("--profile", action="store_true", help="say where the time goes, instead")
    parser.add_argument("--json", type=Path, help="write the lines there, too")
    chosen = parser.parse_args(words)
    for name in chosen.only:
        if name not in SECTIONS:
            parser.error(f"{name}: choose from {', '.join(SECTIONS)}")
    return chosen


def main() -> int:
    """Run the sections and print the report."""
    chosen = arguments()
    scale = QUICK if chosen.quick else Scale()
    if chosen.full:
        scale = attrs.evolve(scale, many_boards=50_000)
    console = Console(width=None if sys.stdout.isatty() else 150)
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(scale=scale, directory=Path(directory), databases=databases(_DATABASE))
        if chosen.profile:
            profile(bench, console)
            return 0
        lines = _measured(bench, chosen.only or SECTIONS, console)
    console.print(table(lines))
    if chosen.json:
        chosen.json.write_text(_as_json(lines), encoding="utf-8")
    return 0


def _measured(bench: Bench, names: Sequence[str], console: Console) -> list[Line]:
    lines: list[Line] = []
    for name in names:
        section: Callable[[], list[Line]] = getattr(bench, name)
        with console.status(f"{name}: {section.__doc__}"):
            lines += section()
    return lines


def _as_json(lines: Sequence[Line]) -> str:
    told = {"machine": machine(), "lines": [attrs.asdict(line) for line in lines]}
    return json.dumps(told, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    sys.exit(main())
