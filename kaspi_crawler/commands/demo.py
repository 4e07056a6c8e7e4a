"""`scrapy demo`: the whole job on this machine, against the sandbox's shop."""

import argparse
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from kaspi_crawler.complaints import in_a_sentence


class Command(ScrapyCommand):
    """Crawls the sandbox, lets prices out to it, and shows what its market answers."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        return "Do the whole job on this machine, against the sandbox's market"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--products", type=int, default=320, help="cards in the shop")
        parser.add_argument(
            "--hours", type=int, default=6, help="hours that rivals have for an answer"
        )

    def run(self, _args: list[str], opts: argparse.Namespace) -> None:
        from kaspi_crawler.demonstration.course import Demonstration  # noqa: PLC0415  (half a second)

        with in_a_sentence("demo"):
            shown = Demonstration(self.settings or Settings())
            self.exitcode = shown.show(opts.products, opts.hours)
