"""Start the sandbox: `python -m sandbox`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import uvloop

from domain.moments import utc
from sandbox.server import NotLoopback, running
from sandbox.world import world


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local replica of the storefront, with rivals who reprice.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same world")
    parser.add_argument("--products", type=_positive, default=320, help="how many cards")
    parser.add_argument(
        "--speed", type=_speed, default=0.0, help="sandbox seconds per real second; 0 stands still"
    )
    parser.add_argument("--start", type=_moment, help="the sandbox's first moment, ISO with zone")
    parser.add_argument("--port-file", type=Path, help="write the address there when ready")
    return parser.parse_args(words)


async def serve(chosen: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    market = world(seed=chosen.seed, products=chosen.products, start=chosen.start)
    async with running(market, chosen.host, chosen.port, chosen.speed) as address:
        if chosen.port_file:
            _write_whole(chosen.port_file, address)
        sys.stdout.write(f"sandbox ready at {address}\n")
        sys.stdout.flush()
        await told_to_stop.wait()


def main() -> int:
    """Run the command; 2 says that it could not start."""
    try:
        uvloop.run(serve(arguments()))
    except (NotLoopback, OSError) as wrong:
        sys.stderr.write(f"the sandbox cannot start: {wrong}\n")
        return 2
    return 0


def _write_whole(path: Path, text: str) -> None:
    """Put a file in place at once, so that nobody reads half an address."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of cards: 1 or more")
    return number


def _speed(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not a speed: 0 to 1000000")
    return number


def _moment(text: str) -> datetime:
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{wrong}: write 2026-09-18T19:00:00+00:00") from wrong


if __name__ == "__main__":
    sys.exit(main())
