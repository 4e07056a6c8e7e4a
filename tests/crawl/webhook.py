"""A webhook on this machine that remembers what it was told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

#: Stands for the token that such addresses hold.
SECRET = "s3cr3t-t0ken"  # noqa: S105


@attrs.define
class Webhook:
    """`told` are the bodies so far; `statuses` are answered in turn, then 200."""

    address: str = ""
    told: list[dict[str, Any]] = attrs.Factory(list)
    statuses: list[int] = attrs.Factory(list)


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook while the block lasts."""
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            webhook.told.append(json.loads(self.rfile.read(length)))
            self.send_response(webhook.statuses.pop(0) if webhook.statuses else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook.address = f"http://127.0.0.1:{server.server_port}/hook/{SECRET}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
