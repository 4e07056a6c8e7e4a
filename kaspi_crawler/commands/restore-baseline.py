"""`scrapy restore-baseline`: our prices as they stood before our first push are wanted back."""

import argparse
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from domain.identity import MerchantId
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.said import Language, Said
from kaspi_crawler.verbs import database_of


class Command(ScrapyCommand):
    """Puts the prices of the first day into the outbox, by the same limits as all others."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] STORE [SKU…]"

    def short_desc(self) -> str:
        return "Put a store's prices back as they stood before our first push"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        ours = parser.add_argument_group("Restore")
        ours.add_argument("--language", choices=tuple(Language), default="en", help="default: en")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do it. Exit code 1: there is nothing to put back."""
        with in_a_sentence("restore-baseline", opts.language):
            if not args:
                right = "scrapy restore-baseline 30000001"
                raise BadArgument(
                    Said(
                        f"name a store. A right one: {right}",
                        f"назовите магазин. Например: {right}",
                    )
                )
            settings = self.settings or Settings()
            from kaspi_crawler.restoring import Wanted, restore  # noqa: PLC0415
            from storage.restoring import baseline  # noqa: PLC0415

            address = database_of(settings)
            store = MerchantId(args[0])
            former = baseline(address, store, args[1:] or None)
            asked = Wanted(store=store, former=former, reason="baseline")
            self.exitcode = restore(address, asked, settings["PUBLISH"], Language(opts.language))
