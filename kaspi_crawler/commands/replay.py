"""`scrapy replay`: what a rule would have done on the boards of the past."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.replays.asked import CHARTS, KEYS, LAG, SHARES, Asked, asked
from kaspi_crawler.spoken_moments import EXPLAINED
from kaspi_crawler.verbs import database_of

if TYPE_CHECKING:
    # At run time the engine and the database are imported when they are needed.
    from kaspi_crawler.replays.run import Found


class Command(ScrapyCommand):
    """Reads the database only. Moments pass one by one, whatever the length of the past."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] --merchant ID --strategy NAME [--strategy NAME …]"

    def short_desc(self) -> str:
        return "Say what a rule would have done on the boards of the past"

    def long_desc(self) -> str:
        return "docs/replay.md explains how to read the answer"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        whose = parser.add_argument_group("Whose past")
        whose.add_argument("--merchant", metavar="ID", help="our merchant id")
        whose.add_argument(
            "--store", metavar="ID", help="the same, and the rules that are kept for its listings"
        )
        whose.add_argument("--sku", help="only this article of --store")
        whose.add_argument("--sisters", metavar="IDS", help="merchant ids of our other stores")
        whose.add_argument(
            "--products", "--product", metavar="LIST", help="ids or addresses, or @file"
        )
        whose.add_argument("--cities", "--city", metavar="LIST", help="city ids or names")
        whose.add_argument("--from", dest="since", metavar="MOMENT", help=f"{EXPLAINED}")
        whose.add_argument("--to", dest="until", metavar="MOMENT", help="default: now")
        rule = parser.add_argument_group("Rule, in the words of docs/strategies.md")
        rule.add_argument(
            "--strategy", action="append", metavar="NAME", help="several stand side by side"
        )
        rule.add_argument("--rule", metavar="FILE|JSON", help="an object with the rule's keys")
        for key in KEYS:
            rule.add_argument(f"--{key}", metavar="ID" if key == "follow" else "N")
        for key in SHARES:
            said = f"{key} as a share of each listing's first real price: 9000 is 90 %%"
            rule.add_argument(f"--{key}-bp", metavar="N", help=said)
        how = parser.add_argument_group("How")
        how.add_argument(
            "--lag", metavar="MINUTES", help=f"from a price set to a price seen; default: {LAG}"
        )
        how.add_argument(
            "--every", metavar="MINUTES", help="also decide so often where nothing changed"
        )
        how.add_argument("--csv", metavar="FILE", help="one line a change of price")
        how.add_argument("--html", metavar="FILE", help="one page with charts")
        how.add_argument(
            "--charts", metavar="N", help=f"listings with a chart of their own; default: {CHARTS}"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print a table of the ways side by side."""
        with in_a_sentence("replay"):
            if args:
                raise BadArgument(f"there is no {args[0]!r}; see `scrapy replay --help`")
            _replay(asked(opts, datetime.now(UTC)), self.settings or Settings())


def _replay(wanted: Asked, settings: Settings) -> None:
    from kaspi_crawler.replays.run import refuse_wrong_rules, replay_boards  # noqa: PLC0415

    refuse_wrong_rules(wanted)
    _tell(wanted, replay_boards(wanted, database_of(settings)))


def _tell(wanted: Asked, found: "Found") -> None:
    from kaspi_crawler.replays.table import show  # noqa: PLC0415

    show(found.total)
    if wanted.html is not None:
        from kaspi_crawler.replays.page import page  # noqa: PLC0415
        from storage.files import whole_file  # noqa: PLC0415

        with whole_file(wanted.html.resolve()) as file:
            parts = page(found.total, found.drawn, found.undrawn)
            file.writelines(part.encode() for part in parts)
    for path in filter(None, (wanted.csv, wanted.html)):
        sys.stderr.write(f"written: {path}\n")
