"""`scrapy publish`: how prices out of the door fare, and which step of the ladder comes next."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy.settings import Settings

from domain.budget import Budget
from domain.identity import MerchantId
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.said import Language, Said
from kaspi_crawler.spoken_moments import EXPLAINED, spoken_moment
from kaspi_crawler.verbs import VerbCommand, database_of

VERBS = {
    "status": "what waits, what was sent and what became of it, the budget, the next step",
    "paused": "articles of which no price is sent: article, since when, why, separated by tabs",
    "reset": "forget what was learned of the store's limit of changes, and begin anew",
}


class Command(VerbCommand):
    """Tells of what is remembered; sends nothing: `scrapy crawl publish` does."""

    verbs = VERBS
    about = "How prices out of the door fare: status, paused, reset"
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
        tell: dict[str, Any] = {"status": _status, "paused": _paused, "reset": _reset}
        code: int = tell[verb](store, opts, settings)
        return code


def _status(store: MerchantId, opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.feed.deliveries import Deliveries  # noqa: PLC0415
    from kaspi_crawler.feed.writing import shelf_of  # noqa: PLC0415
    from kaspi_crawler.publishing_words import Terms, in_words  # noqa: PLC0415
    from storage.accounts import kept  # noqa: PLC0415
    from storage.ladder import report  # noqa: PLC0415

    now = datetime.now(UTC)
    since = spoken_moment("since", opts.since, now)
    share = settings.getint("PUBLISH_SHARE")
    address = database_of(settings)
    told = report(address, store, share * 100, since)
    if told is None:
        return _is_none_of_ours(store, opts)
    terms = Terms(
        publish=settings["PUBLISH"],
        share=share,
        start=_start(settings),
        feeds=Deliveries(shelf_of(settings, store)).until(now),
        is_signed_out=any(
            one.store == store and one.failure and not one.session for one in kept(address)
        ),
    )
    for line in in_words(told, store, terms, Language(opts.language)):
        sys.stdout.write(f"{line}\n")
    return 0


def _start(settings: Settings) -> Budget:
    """What a store may send before it has learned anything."""
    limit = settings.getint("PUBLISH_CHANGES")
    return Budget(
        limit=limit,
        most=limit,
        gap=timedelta(seconds=settings.getfloat("PUBLISH_GAP")),
        window=timedelta(seconds=settings.getfloat("PUBLISH_WINDOW")),
    )


def _is_none_of_ours(store: MerchantId, opts: argparse.Namespace) -> int:
    why = Said(
        f"store {store} is none of ours: see `scrapy shop list`",
        f"магазин {store} не наш: см. `scrapy shop list`",
    )
    sys.stderr.write(f"publish: {why.in_(Language(opts.language))}\n")
    return 1


def _paused(store: MerchantId, opts: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001
    from kaspi_crawler.outbox_words import hour  # noqa: PLC0415
    from storage.ladder import paused  # noqa: PLC0415

    found = paused(database_of(settings), store)
    for one in found:
        sys.stdout.write(f"{one.sku}\t{hour(one.paused_at)}\t{one.paused_why}\n")
    if found:
        sys.stderr.write(
            f"Their prices are sent again after: scrapy shop resume {store} ARTICLE…\n"
        )
    return 0


def _reset(store: MerchantId, opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.publishing_words import unlearned  # noqa: PLC0415
    from storage.budgets import unlearn  # noqa: PLC0415
    from storage.stores import stores  # noqa: PLC0415

    address = database_of(settings)
    if not stores(address, store):
        return _is_none_of_ours(store, opts)
    learned = unlearn(address, store)
    until = learned and learned.blocked_until
    rests = until - datetime.now(UTC) if until else timedelta(0)
    begins = settings.getint("PUBLISH_CHANGES")
    for line in unlearned(store, learned, rests, begins, Language(opts.language)):
        sys.stdout.write(f"{line}\n")
    return 0
