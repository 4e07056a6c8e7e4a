"""`scrapy doctor`: what is missing or wrong in the set-up, and how to mend it."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence

if TYPE_CHECKING:
    # At run time they are imported when they are needed: the other commands start faster.
    from kaspi_crawler.health.verdict import State, Verdict

#: Where scrapy.cfg, requirements.txt and scrapyd.conf lie.
ROOT = Path(__file__).resolve().parent.parent.parent


class Command(ScrapyCommand):
    """Looks at everything, also when half of it is broken."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Say what is missing or wrong in the set-up, and how to mend it"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        ours = parser.add_argument_group("Doctor")
        ours.add_argument("--offline", action="store_true", help="do not ask the storefront")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Write a table. Exit code 1: something is wrong."""
        from kaspi_crawler.health.verdict import State, summary  # noqa: PLC0415

        # Names of directories may hold letters that this terminal does not know.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        with in_a_sentence("doctor"):
            if args:
                raise BadArgument(f"there is no {args[0]!r}; see `scrapy doctor --help`")
            verdicts = _verdicts(self.settings or Settings(), offline=opts.offline)
            states = [_told(verdict) for verdict in verdicts]
            sys.stdout.write(f"{summary(states)}\n")
            sys.stdout.flush()
        self.exitcode = int(State.WRONG in states)


def _told(verdict: "Verdict") -> "State":
    """Write the verdict at once, for the next one may take seconds."""
    from kaspi_crawler.health.verdict import lines  # noqa: PLC0415

    for line in lines(verdict, plain=not _is_unicode(sys.stdout.encoding)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return verdict.state


def _verdicts(settings: Settings, *, offline: bool) -> Iterator["Verdict"]:
    from kaspi_crawler.health import exits, machine, memory, storefront  # noqa: PLC0415

    data = Path(settings["DATA_DIR"])
    yield machine.python(sys.version_info[:3])
    yield machine.packages(ROOT / "requirements.txt")
    yield machine.directory("DATA_DIR", data)
    yield machine.directory("EXPORTS_DIR", Path(settings["EXPORTS_DIR"]))
    yield machine.scrapyd(ROOT)
    yield machine.browser(settings["CHROMIUM"])
    yield from memory.verdicts(_environ(settings), data)
    if settings["PROXIES"]:
        yield exits.proxies(settings)
    if not offline:
        yield from storefront.verdicts(settings["KASPI_URL"], settings.getfloat("PAGE_DELAY"))


def _environ(settings: Settings) -> Mapping[str, str]:
    """The environment, with the address that the settings hold: the command line may replace it."""
    return {**os.environ, "DATABASE_URL": settings["DATABASE_URL"] or ""}


def _is_unicode(encoding: str) -> bool:
    return encoding.lower().replace("-", "").startswith("utf")
