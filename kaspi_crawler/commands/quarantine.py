"""`scrapy quarantine`: the answers that were set aside, and what today's pages make of them."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
from scrapy.settings import Settings

from domain.categories import CategoryTree, SitemapCategories
from domain.identity import CityId
from domain.product import ProductCard
from domain.readings import ProductMissing, Source
from domain.reviews import ReviewSummary
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.pages.again import Question, read_again
from kaspi_crawler.pages.listing import ListingPart
from kaspi_crawler.pages.offers import OffersPart
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.reviews import TextsPart
from kaspi_crawler.verbs import VerbCommand
from partners.call import Answer

VERBS = {
    "list": "show what is kept: name, source, status, why",
    "show": "show one: its description, then its bytes",
    "replay": "read one or all again with today's pages; --forget removes what reads now",
}
_NAMES = "`scrapy quarantine list` has the names"


class Command(VerbCommand):
    """One verb for each thing that people do with it."""

    verbs = VERBS
    about = "Answers that could not be read: list, show, replay"
    follows = "NAME, or all"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--forget", action="store_true", help="of replay: remove the answers that read now"
        )

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        kept = dict(kept_answers(Path(settings["DATA_DIR"]) / "quarantine"))
        return _do(verb, words, kept, forget=opts.forget)


@attrs.frozen
class Kept:
    """One answer in the quarantine: where its bytes are, and what is told of it."""

    body: Path
    told: dict[str, Any]

    @property
    def why(self) -> str:
        """Why it was set aside."""
        return str(self.told.get("reason") or "; ".join(self.told.get("drifts", ())))

    @property
    def answer(self) -> Answer:
        """The answer as the pages read it. Raises OSError."""
        return Answer(
            status=int(self.told["status"]),
            body=self.body.read_bytes(),
            address=str(self.told["address"]),
        )

    @property
    def source(self) -> Source:
        """Which answer it is; those kept before the source was told say it by their address."""
        if source := self.told.get("source"):
            return Source(source)
        address = str(self.told["address"])
        signs = {
            "/offer-view/": Source.OFFERS,
            "/review-view/": Source.REVIEWS,
            "/shp/": Source.LINK,
        }
        return next((source for sign, source in signs.items() if sign in address), Source.PAGE)

    def forget(self) -> None:
        """Remove both files."""
        self.body.unlink(missing_ok=True)
        self.body.with_suffix(".json").unlink(missing_ok=True)


def kept_answers(directory: Path) -> Iterator[tuple[str, Kept]]:
    """All answers by their names, <spider>/<moment>-<product>, the newest of each spider first.

    Names come from the folder alone: what a person types is looked up and is never part of a path.
    """
    for path in sorted(directory.glob("*/*.json"), key=lambda path: path.stem, reverse=True):
        body = path.with_suffix(".body")
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{path} cannot be read and is passed by: {error}\n")
            continue
        if body.is_file() and isinstance(told, dict):
            yield f"{path.parent.name}/{path.stem}", Kept(body, told)


def _do(verb: str, words: Sequence[str], kept: dict[str, Kept], *, forget: bool) -> int:
    if verb == "list":
        if words:
            raise BadArgument(f"list takes no {words[0]!r}: pipe it into grep")
        return _list(kept)
    if verb == "show":
        return _show(_chosen(words, kept))
    return _replay(_chosen(words or ["all"], kept), forget=forget)


def _chosen(words: Sequence[str], kept: dict[str, Kept]) -> dict[str, Kept]:
    """The answers that are named: whole, by what follows the spider, or by the path that the log
    tells. Raises BadArgument.
    """
    if not words:
        raise BadArgument(f"say which: {_NAMES}")
    if list(words) == ["all"]:
        return kept
    chosen: dict[str, Kept] = {}
    for word in words:
        # A path is looked up by its end alone, as any name.
        sought = "/".join(Path(word).parts[-2:]).removesuffix(".body")
        named = {name: one for name, one in kept.items() if sought in {name, name.split("/")[1]}}
        if not named:
            raise BadArgument(f"nothing is kept as {word!r}: {_NAMES}")
        chosen |= named
    return chosen


def _list(kept: dict[str, Kept]) -> int:
    for name, one in kept.items():
        sys.stdout.write(f"{name}\t{one.source}\t{one.told.get('status')}\t{one.why}\n")
    sys.stdout.flush()
    if not kept:
        sys.stderr.write("Nothing is kept: every answer was read\n")
    return 0


def _show(chosen: dict[str, Kept]) -> int:
    for name, one in chosen.items():
        told = json.dumps({"name": name, **one.told}, ensure_ascii=False, indent=1)
        sys.stdout.write(f"{told}\n\n{one.body.read_bytes().decode('utf-8', 'replace')}\n")
    sys.stdout.flush()
    return 0


def _replay(chosen: dict[str, Kept], *, forget: bool) -> int:
    """Exit code 1 when something still cannot be read."""
    verdicts = [_replay_one(name, one, forget=forget) for name, one in chosen.items()]
    read = sum(verdicts)
    sys.stdout.write(f"{read:,} of {len(verdicts):,} answers read now\n")
    sys.stdout.flush()
    return 0 if read == len(verdicts) else 1


def _replay_one(name: str, one: Kept, *, forget: bool) -> bool:
    try:
        outcome = _read_again(one)
    except (KeyError, ValueError) as spoilt:
        sys.stdout.write(f"{name}\tits description is spoilt: {spoilt!r}\n")
        return False
    if isinstance(outcome, TryAgain):
        sys.stdout.write(f"{name}\ta refusal, no data in it: {outcome.reason}. {outcome.remedy}\n")
        return False
    if isinstance(outcome, Unreadable):
        sys.stdout.write(f"{name}\tstill not readable: {outcome.reason}. {outcome.remedy}\n")
        return False
    sys.stdout.write(f"{name}\treads now: {_held(outcome)}\n")
    if forget:
        one.forget()
    return True


def _read_again(one: Kept) -> object:
    """What today's page makes of the bytes. Raises KeyError or ValueError for a spoilt
    description.
    """
    asked = Question(
        source=one.source,
        subject=str(one.told["kaspi_id"]),
        city=CityId(str(one.told["city_id"])) if one.told["city_id"] else None,
        moment=datetime.fromisoformat(str(one.told["checked_at"])),
    )
    return read_again(one.answer, asked)


def _held(outcome: object) -> str:
    match outcome:
        case OffersPart():
            cheapest = min((offer.price for offer in outcome.offers), default=None)
            price = f", from {cheapest:,} tenge" if cheapest else ""
            told = f"{len(outcome.offers)} of {outcome.total} offers{price}"
        case ProductCard():
            price = f"{outcome.price:,} tenge" if outcome.price else "no offers"
            told = f"{outcome.name} ({outcome.rung}), {price}"
        case ReviewSummary():
            told = f"rating {outcome.rate}, {outcome.rating_amount} ratings"
        case ProductMissing():
            told = "the product is not on the site"
        case TextsPart():
            told = f"{len(outcome.reviews)} reviews"
        case ListingPart():
            told = f"{len(outcome.cards)} cards"
        case CategoryTree() | SitemapCategories():
            told = f"{len(outcome.categories)} categories"
        case str():
            told = f"it leads to product {outcome}"
        case _:
            told = str(outcome)
    return told
