"""`scrapy record`: live answers as cassettes for the contract tests, and how they have drifted."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from domain.identity import CityId
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from partners.kaspi.storefront import Storefront

if TYPE_CHECKING:
    # At run time they are imported when they are needed: the other commands start faster.
    from kaspi_crawler.recordings.subjects import Subject

_RIGHT = "A right one: scrapy record 102298404 --cities almaty, or scrapy record --refresh"


class Command(ScrapyCommand):
    """Asks as the spiders do, slowly; refusals are told and never kept."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] ADDRESS…"

    def short_desc(self) -> str:
        return "Keep live answers as cassettes, or refresh those that are kept"

    def long_desc(self) -> str:
        return (
            "Keeps the page, the offers and the reviews of each product, and the first pages of "
            "each listing (category=Smartphones, search=…, merchant=…) in CASSETTES_DIR, without "
            "people, cookies and keys. What was kept before is compared: the exit code is 1 when "
            "the shape of an answer has drifted, when a page cannot read it, or when it was refused"
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        ours = parser.add_argument_group("Recordings")
        ours.add_argument("--refresh", action="store_true", help="ask anew for all that is kept")
        ours.add_argument("--cities", metavar="LIST", help="ids or names; default: 750000000")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Record one subject after another. Exit code 1: something drifted or was refused."""
        if bool(args) == opts.refresh:
            raise UsageError(f"say what to record. {_RIGHT}", print_help=False)
        with in_a_sentence("record"):
            settings = self.settings or Settings()
            directory = Path(settings["CASSETTES_DIR"])
            cities = arguments.cities(opts.cities) if opts.cities else ()
            chosen = _kept(directory) if opts.refresh else _named(args, cities)
            storefront = Storefront(settings["KASPI_URL"])
            well = [_record(subject, storefront, directory, settings) for subject in chosen]
        self.exitcode = int(not all(well))


def _named(texts: Iterable[str], cities: tuple[CityId, ...]) -> list["Subject"]:
    from kaspi_crawler.recordings.subjects import subjects  # noqa: PLC0415

    try:
        return list(subjects(texts, cities))
    except ValueError as error:
        raise BadArgument(f"record: {error}") from None


def _kept(directory: Path) -> list["Subject"]:
    from kaspi_crawler.recordings.subjects import subject_of  # noqa: PLC0415

    found = sorted(directory.glob("*.json"))
    if not found:
        raise BadArgument(f"there is no cassette in {str(directory)!r} to refresh. {_RIGHT}")
    try:
        return [subject_of(path.stem) for path in found]
    except ValueError as error:
        raise BadArgument(f"{directory}: {error}") from None


def _record(
    subject: "Subject", storefront: Storefront, directory: Path, settings: Settings
) -> bool:
    """Record one subject and say how it differs from what was kept; whether all is as it was."""
    import requests  # noqa: PLC0415

    from kaspi_crawler.recordings.cassettes import NotRecorded, Pace, record  # noqa: PLC0415
    from kaspi_crawler.recordings.comparison import compared, held  # noqa: PLC0415

    pace = Pace(api=settings.getfloat("API_DELAY"), page=settings.getfloat("PAGE_DELAY"))
    before = held(subject, storefront, directory)
    try:
        path = record(subject, storefront, directory, pace)
    except (NotRecorded, requests.RequestException) as error:
        _say(f"{subject}: not recorded, {error}")
        return False
    report = compared(before, held(subject, storefront, directory))
    _say(f"{subject}: {path}", *report.lines)
    return report.is_well


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
