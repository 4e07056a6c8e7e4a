"""A server that does not bind: canned answers over a raw protocol, in a process of its own.

`python -m benchmarks.server` listens on loopback and writes its port to standard output.
It gzips as the storefront does for a client that takes it.
"""

import argparse
import asyncio
import json
import re
import sys
from typing import cast
from urllib.parse import parse_qs, urlsplit

import attrs
import uvloop

from benchmarks.boards import LEAN, Market
from benchmarks.shop import Shop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OFFERS = "/yml/offer-view/offers/"


@attrs.define
class Answers:
    """Answers by path: boards of the market, and the sandbox's shop where there is one."""

    market: Market
    shop: Shop | None
    served: int = 0

    def answer(self, path: str, body: bytes) -> bytes:
        """The whole HTTP response."""
        self.served += 1
        if path.startswith("/control/"):
            return self._control(path)
        if self.shop:
            return response(*self.shop.answer(path, body))
        return response(self.market.packed(int(path.removeprefix(_OFFERS))), "application/json")

    def _control(self, path: str) -> bytes:
        asked = urlsplit(path)
        told = {name: int(values[0]) for name, values in parse_qs(asked.query).items()}
        if asked.path == "/control/sweep":
            self.market.sweep(told["changed"], told["products"])
        elif asked.path == "/control/tick" and self.shop:
            self.shop.tick()
        return response(json.dumps({"served": self.served}).encode(), "application/json", packed="")


def response(body: bytes, kind: str, packed: str = "Content-Encoding: gzip\r\n") -> bytes:
    """An HTTP response with as few headers as a crawl needs."""
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind};charset=UTF-8\r\n{packed}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Conversation(asyncio.Protocol):
    """One connection: reads requests with a length, answers at once."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._read, 0, end + 2)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < whole:
                return
            path = self._read[: self._read.index(b"\r\n")].split(b" ")[1].decode()
            self._transport.write(self._answers.answer(path, self._read[end + 4 : whole]))
            self._read = self._read[whole:]


async def serve(answers: Answers) -> None:
    """Serve until killed; the port is the first line of the output."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(answers), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server")
    parser.add_argument("--shape", default=LEAN)
    parser.add_argument("--shop", type=int, default=0, help="cards of the sandbox's shop")
    chosen = parser.parse_args()
    shop = Shop.of(chosen.shop) if chosen.shop else None
    uvloop.run(serve(Answers(Market(shape=chosen.shape), shop)))


if __name__ == "__main__":
    main()
