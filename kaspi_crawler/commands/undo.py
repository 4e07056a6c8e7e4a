"""`scrapy undo`: our prices as they stood at a moment are wanted back."""

import argparse
from datetime import UTC, datetime
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from domain.identity import MerchantId
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.said import Language, Said
from kaspi_crawler.spoken_moments import EXPLAINED, spoken_moment
from kaspi_crawler.verbs import database_of

_RIGHT = "scrapy undo 30000001 KETTLE-1 --to 2h"
_WRONG = Said(
    f"name a store, and the moment. A right one: {_RIGHT}",
    f"назовите магазин и момент. Например: {_RIGHT}",
)


class Command(ScrapyCommand):
    """Puts former prices into the outbox; they leave as all others do, and by the same limits."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] STORE [SKU…] --to MOMENT"

    def short_desc(self) -> str:
        return "Put our prices back as they stood at a moment, and pause their articles"

    def long_desc(self) -> str:
        return (
            "Prices as buyers saw them then, of the named articles or of the whole store. What the "
            "rules forbid today is named and left. The articles are paused, so that no decision "
            "overrules it at once: scrapy shop resume STORE SKU lets them be decided on again"
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        ours = parser.add_argument_group("Undo")
        ours.add_argument("--to", metavar="MOMENT", help=EXPLAINED)
        ours.add_argument("--language", choices=tuple(Language), default="en", help="default: en")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do it. Exit code 1: there is nothing to put back."""
        with in_a_sentence("undo", opts.language):
            if not args or opts.to is None:
                raise BadArgument(_WRONG)
            at = spoken_moment("to", opts.to, datetime.now(UTC))
            settings = self.settings or Settings()
            from kaspi_crawler.restoring import Wanted, restore  # noqa: PLC0415
            from storage.restoring import prices_at  # noqa: PLC0415

            address = database_of(settings)
            store = MerchantId(args[0])
            former = prices_at(address, store, args[1:] or None, at)
            asked = Wanted(store=store, former=former, reason="undo")
            self.exitcode = restore(address, asked, settings["PUBLISH"], Language(opts.language))
