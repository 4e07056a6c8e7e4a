"""A cabinet that is played: any goods, which move while they are read if a test wants it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

STORE = "30000001"
Item = dict[str, Any]


def item(number: int, **more: Any) -> Item:
    """An article on sale at one point."""
    point = {"available": "yes", "storeId": f"{STORE}_PP1", "stockCount": 7, "preOrder": 0,
             "stockEnabled": True, "stockSpecified": True}  # fmt: skip
    return {
        "sku": f"A{number}",
        "masterSku": str(100_000_000 + number),
        "title": f"Чайник {number}",
        "merchantUid": STORE,
        "available": True,
        "price": 1_000 + number,
        "availabilities": [point],
        "cityPrices": [],
        **more,
    }


def gone(number: int) -> Item:
    """The same, taken off sale."""
    nothing = {"available": False, "price": 0, "availabilities": None, "cityPrices": None}
    return item(number, **nothing, archivedAt="2026-05-06T15:02:34.668")


@attrs.define
class Played:
    """Goods in the order of the list. `before` is called with the number of each question, from 1,
    before it is answered.
    """

    goods: list[Item] = attrs.Factory(list)
    before: Callable[[int], None] = lambda _: None
    address: str = ""
    questions: list[tuple[str, int]] = attrs.Factory(list)

    def answer(self, path: str) -> dict[str, Any]:
        told = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        page, wanted = int(told["p"]), told["a"]
        self.questions.append((wanted, page))
        self.before(len(self.questions))
        shown = [one for one in self.goods if one["available"] is (wanted == "true")]
        first = page * int(told["l"])
        return {"data": shown[first : first + int(told["l"])], "total": len(shown)}


@contextmanager
def playing() -> Iterator[Played]:
    """A played cabinet at an address of this machine."""
    played = Played()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(played.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    played.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        thread.join()
