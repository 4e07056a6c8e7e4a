"""Measure the change budget: `python -m benchmarks.budget`. A minute; nothing is asserted."""

import argparse
import sys

from rich.console import Console

from benchmarks.budget.report import allocator, learning
from benchmarks.table import table


def main() -> int:
    """Run both simulations and print what they say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, a few hours")
    quick = parser.parse_args().quick
    lines = [*allocator(1 if quick else 5), *learning(4 if quick else 9)]
    Console(width=None if sys.stdout.isatty() else 170).print(table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
