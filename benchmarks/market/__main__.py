"""Four weeks in many markets: `python -m benchmarks.market`, or `make bench-market`.

Each way of pricing meets the same goods, rivals and buyers. Nothing is asserted but the exit
code: 1 says that one of our strategies set a price that is not allowed, or sold at a loss.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from multiprocessing import Pool
from pathlib import Path

from rich.console import Console

from benchmarks.market.report import Bench, as_json, report
from benchmarks.market.runs import Outcome, run
from benchmarks.market.ways import WAYS
from sandbox.market.shapes import SHAPES

#: The rule was chosen on seeds below a thousand; the report is made of others.
FIRST_SEED = 1_000


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.market", description=__doc__)
    parser.add_argument("only", nargs="*", help="words in the names of shapes; default: all shapes")
    parser.add_argument("--quick", action="store_true", help="2 seeds")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--all", action="store_true", help="show every way of pricing")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    return parser.parse_args(words)


def measured(shapes: Sequence[str], seeds: Sequence[int], days: int) -> Bench:
    """Run every way of pricing in every market, on two cores at most."""
    jobs = [(shape, way, seed, days) for shape in shapes for way in WAYS for seed in seeds]
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        outcomes = dict(pool.imap_unordered(_one, jobs, chunksize=16))
    return Bench(shapes=tuple(shapes), seeds=tuple(seeds), days=days, outcomes=outcomes)


def _one(job: tuple[str, str, int, int]) -> tuple[tuple[str, str, int], Outcome]:
    shape, way, seed, days = job
    return (shape, way, seed), run(shape, WAYS[way], seed, days)


def main() -> int:
    """Run the markets and print the report."""
    chosen = arguments()
    seeds = 2 if chosen.quick else chosen.seeds
    shapes = [
        name for name in SHAPES if not chosen.only or any(word in name for word in chosen.only)
    ]
    console = Console(width=None if sys.stdout.isatty() else 170)
    bench = measured(shapes, range(chosen.first_seed, chosen.first_seed + seeds), chosen.days)
    report(bench, console, everybody=chosen.all)
    if chosen.json:
        told = json.dumps(as_json(bench), ensure_ascii=False, indent=1)
        chosen.json.write_text(told, encoding="utf-8")
    return 1 if bench.violations else 0


if __name__ == "__main__":
    sys.exit(main())
