"""`scrapy daemon`: scrapyd beside this project, on loopback and with a password."""

import argparse
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence


class Command(ScrapyCommand):
    """Becomes scrapyd, with the password of DATA_DIR/scrapyd/password unless one is set."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return ""

    def short_desc(self) -> str:
        return "scrapyd on loopback with a password, for the timetable and for egg uploads"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002
        from kaspi_crawler.timetable.daemon import credentials  # noqa: PLC0415

        settings = self.settings or Settings()
        with in_a_sentence("daemon"):
            if args:
                raise BadArgument(f"there is no {args[0]!r}: scrapyd.conf holds its settings")
            username, password = credentials(os.environ, Path(settings["DATA_DIR"]))
            _try_port(os.environ)
        sys.stderr.write(
            f"scrapyd's name is {username}; SCRAPYD_PASSWORD is in the environment, or "
        )
        sys.stderr.write(f"in {Path(settings['DATA_DIR']) / 'scrapyd' / 'password'}\n")
        environ = {**os.environ, "SCRAPYD_USERNAME": username, "SCRAPYD_PASSWORD": password}
        # No pid file: one that a killed scrapyd left behind would keep the next from starting.
        command = [sys.executable, "-m", "scrapyd", "--pidfile="]
        os.execve(command[0], command, environ)  # noqa: S606


def _try_port(environ: Mapping[str, str]) -> None:
    """Listen for a moment where scrapyd will. Raises BadArgument when it could not."""
    from scrapyd.config import Config  # noqa: PLC0415

    config = Config()
    host = environ.get("SCRAPYD_BIND_ADDRESS") or config.get("bind_address", "127.0.0.1")
    port = environ.get("SCRAPYD_HTTP_PORT") or config.get("http_port", "6800")
    right = "A right one: SCRAPYD_HTTP_PORT=6801, and SCRAPYD_URL=http://127.0.0.1:6801 with it"
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, int(port)), family=family).close()
    except (ValueError, OverflowError):
        raise BadArgument(f"SCRAPYD_HTTP_PORT: {port!r} is no port. {right}") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise BadArgument(
            f"scrapyd cannot listen at {host}:{port}: {why}. Stop what does (another scrapyd?), "
            f"or take another port. {right}"
        ) from None
