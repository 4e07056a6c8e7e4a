"""Runs the service of feeds in a process of its own: directory, JSON of its limits, credentials."""

import json
import sys
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor as installed

from kaspi_crawler.feed import service


def main() -> None:
    """Serve at a free port of this machine, and say which."""
    directory, limits, name, password = sys.argv[1:]
    for limit, value in json.loads(limits).items():
        setattr(service, limit, value)
    credentials = service.Credentials(name, password) if name else None
    reactor = cast("Any", installed)
    port = reactor.listenTCP(0, service.door(Path(directory), credentials), interface="127.0.0.1")
    print(port.getHost().port, flush=True)  # noqa: T201
    reactor.run()


if __name__ == "__main__":
    main()
