"""`scrapy publish`: how prices out of the door fare, and which step of the ladder comes next."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scrapy.settings import Settings

from domain.identity import MerchantId
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.said import Language, Said
from kaspi_crawler.spoken_moments import EXPLAINED, spoken_moment
from kaspi_crawler.verbs import VerbCommand, database_of

VERBS = {
    "status": "what waits, what was sent and what became of it, the budget, the next step",
    "paused": "articles of which no price is sent: article, since when, why, separated by tabs",
}


class Command(VerbCommand):
    """Reads what is remembered; sends nothing: `scrapy crawl publish` does."""

    verbs = VERBS
    about = "How prices out of the door fare: status, paused"
    follows = "store"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--since", default="24h", metavar="MOMENT", help=EXPLAINED)
        parser.add_argument("--language", choices=tuple(Language), default="en", help="default: en")

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        if len(words) != 1:
            right = f"scrapy publish {verb} 30000001"
            raise BadArgument(
                Said(
                    f"{verb}: name one store. A right one: {right}",
                    f"{verb}: назовите один магазин. Например: {right}",
                )
            )
        store = MerchantId(words[0])
        tell: dict[str, Any] = {"status": _status, "paused": _paused}
        code: int = tell[verb](store, opts, settings)
        return code


def _status(store: MerchantId, opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.feed.deliveries import Deliveries  # noqa: PLC0415
    from kaspi_crawler.feed.writing import shelf_of  # noqa: PLC0415
    from kaspi_crawler.publishing_words import Terms, in_words  # noqa: PLC0415
    from storage.ladder import report  # noqa: PLC0415

    now = datetime.now(UTC)
    since = spoken_moment("since", opts.since, now)
    share, publish = settings.getint("PUBLISH_SHARE"), settings["PUBLISH"]
    told = report(database_of(settings), store, share * 100, since)
    if told is None:
        why = Said(
            f"store {store} is none of ours: see `scrapy shop list`",
            f"магазин {store} не наш: см. `scrapy shop list`",
        )
        sys.stderr.write(f"publish: {why.in_(Language(opts.language))}\n")
        return 1
    feeds = Deliveries(shelf_of(settings, store)).until(now)
    terms = Terms(publish=publish, share=share, feeds=feeds)
    for line in in_words(told, store, terms, Language(opts.language)):
        sys.stdout.write(f"{line}\n")
    return 0


def _paused(store: MerchantId, opts: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001
    from kaspi_crawler.outbox_words import hour  # noqa: PLC0415
    from storage.ladder import paused  # noqa: PLC0415

    for one in paused(database_of(settings), store):
        sys.stdout.write(f"{one.sku}\t{hour(one.paused_at)}\t{one.paused_why}\n")
    return 0
