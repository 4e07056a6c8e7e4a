"""Start the sandbox: `python -m sandbox`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import uvloop

from domain.identity import MerchantId
from domain.moments import utc
from sandbox.faults import ALL_PATHS, KINDS, Kind, Switches, read_switches
from sandbox.loopback import NotLoopback
from sandbox.seller.seller import Shops
from sandbox.seller.switches import SellerSwitches, explained_switches, read_seller_switches
from sandbox.server import running
from sandbox.world import world

_FAULTS = """\
what can be asked of a running sandbox:
  POST /sandbox/faults     set everything that goes wrong, as in --faults; {} heals
  GET  /sandbox/faults     what is set, how often each fault was given, what each means
  GET  /sandbox/exits      each proxy with its address, its limits and the sandbox's count of it;
                           /sandbox/exits/direct counts those who come without a proxy
  POST /sandbox/advance    {"minutes": 15, "seconds": 30} lets time pass
  POST /sandbox/set        one offer's price or presence
  GET  /sandbox/ledger/PRODUCT/CITY, /sandbox/products, /sandbox/requests

faults as JSON, every key as you need it:
  {"random": {"truncated": 0.05, "forbidden": 0.1}, "seed": 1,
   "script": [{"kind": "hanging", "path": "offers", "product": "102298404", "times": 2,
               "exit": "exit-3", "after": 1}],
   "limits": {"rate": 10, "burst": 15, "refusal": 403, "ban_seconds": 10},
   "exits": {"exit-1": {"state": "dead"}, "exit-2": {"state": "slow", "delay": 3},
             "exit-3": {"state": "lying"}, "exit-4": {"state": "banned"},
             "exit-5": {"state": "datacenter"},
             "exit-6": {"refusal": 429, "retry_after": 5, "ban_after": 100}},
   "slow_seconds": 3, "hang_seconds": 60, "huge_megabytes": 100, "retry_after": null}

kinds of faults:
"""

_SELLER = """\
what can be asked of the seller's side:
  GET  /sandbox/seller           MC_URL and IDMC_URL, the accounts with their passwords
  POST /sandbox/seller/switches  how it behaves, as in --seller; {} brings the defaults back
  GET  /sandbox/seller/mailbox   the codes that were sent by mail and SMS
  POST /sandbox/seller/expire    {} ends every session, {"account": "user@example.kz"} one's
  GET  /sandbox/seller/goods     the listings as they truly are
  GET  /sandbox/seller/active.xml  the cabinet's export of what is on sale
  POST /sandbox/seller/edit      {"sku": "…", "price": 9, "points": {"PP1": {"available": false}}}
  POST /sandbox/seller/feed      {"url": "http://127.0.0.1:…", "login": …, "password": …}
  POST /sandbox/seller/feed/pull fetches it now
  GET  /sandbox/seller/book, /sandbox/seller/book/{changes,live,refusals}

switches of the seller's side, with their defaults:
"""


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local replica of the storefront, with rivals who reprice.",
        epilog=f"{_about_faults()}\n\n{_about_seller()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same world")
    parser.add_argument("--products", type=_positive, default=320, help="how many cards")
    parser.add_argument(
        "--speed", type=_speed, default=0.0, help="sandbox seconds per real second; 0 stands still"
    )
    parser.add_argument("--start", type=_moment, help="the sandbox's first moment, ISO with zone")
    parser.add_argument(
        "--exits", type=_exits, default=0, help="how many forward proxies, exit-1 to exit-N"
    )
    parser.add_argument(
        "--exit-credentials", type=_credentials, help="user:password that the proxies ask for"
    )
    parser.add_argument(
        "--faults", type=_faults, metavar="FILE.json", help="what is wrong from the beginning"
    )
    parser.add_argument(
        "--shop",
        action="append",
        type=_stores,
        metavar="MERCHANT[,MERCHANT]",
        help="whose cabinet opens: the stores of one account, again for another account; "
        "default: the merchant with most offers",
    )
    parser.add_argument(
        "--shop-password",
        default=os.environ.get("SANDBOX_SHOP_PASSWORD"),
        help="every account's password (SANDBOX_SHOP_PASSWORD); default: one is made up",
    )
    parser.add_argument(
        "--seller", type=_seller, metavar="FILE.json", help="how the seller's side behaves"
    )
    parser.add_argument("--port-file", type=Path, help="write the address there when ready")
    return parser.parse_args(words)


async def serve(chosen: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    market = world(seed=chosen.seed, products=chosen.products, start=chosen.start)
    async with running(
        market,
        chosen.host,
        chosen.port,
        chosen.speed,
        exits=chosen.exits,
        credentials=chosen.exit_credentials,
        switches=chosen.faults,
        shops=Shops(
            stores=chosen.shop or (),
            password=chosen.shop_password,
            switches=chosen.seller or SellerSwitches(),
        ),
    ) as address:
        if chosen.port_file:
            _write_whole(chosen.port_file, address)
        sys.stdout.write(f"sandbox ready at {address}\n")
        if chosen.exits:
            sys.stdout.write(f"its {chosen.exits} exits are told at {address}/sandbox/exits\n")
        sys.stdout.write(f"its cabinet and its accounts are told at {address}/sandbox/seller\n")
        sys.stdout.flush()
        await told_to_stop.wait()


def main() -> int:
    """Run the command; 2 says that it could not start."""
    try:
        uvloop.run(serve(arguments()))
    except (NotLoopback, LookupError, OSError) as wrong:
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


def _exits(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 200:
        raise argparse.ArgumentTypeError(f"{text} is not a number of exits: 0 to 200")
    return number


def _credentials(text: str) -> str:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise argparse.ArgumentTypeError("these are no credentials: write user:password")
    return text


def _faults(text: str) -> Switches:
    try:
        return read_switches(Path(text).read_bytes())
    except OSError as wrong:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {wrong.strerror}") from wrong
    except msgspec.DecodeError as wrong:
        raise argparse.ArgumentTypeError(f"{text} is no set of faults: {wrong}") from wrong


def _stores(text: str) -> list[MerchantId]:
    return [MerchantId(one) for one in text.split(",")]


def _seller(text: str) -> SellerSwitches:
    try:
        return read_seller_switches(Path(text).read_bytes())
    except OSError as wrong:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {wrong.strerror}") from wrong
    except msgspec.DecodeError as wrong:
        raise argparse.ArgumentTypeError(f"{text} is no set of switches: {wrong}") from wrong


def _about_seller() -> str:
    """Every switch of the seller's side, for the help."""
    lines = (
        f"  {name:20}{told['about']} ({msgspec.json.encode(told['default']).decode()})"
        for name, told in explained_switches().items()
    )
    return _SELLER + "\n".join(lines)


def _about_faults() -> str:
    """The switches and every kind of fault, for the help."""
    kinds = "\n".join(f"  {name:20}{kind.about}{_where(kind)}" for name, kind in KINDS.items())
    return _FAULTS + kinds


def _where(kind: Kind) -> str:
    return "" if kind.paths == ALL_PATHS else f" ({', '.join(sorted(kind.paths))})"


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
