"""What every command that reads tables is told, and how it answers."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from domain.identity import MerchantId
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.said import Language, Said
from partners.kaspi.storefront_listing import NotAListing, merchant_id

if TYPE_CHECKING:
    # At run time it is imported when it is needed: the other commands start faster.
    from kaspi_crawler.rules.looked import Looked


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that reads tables."""
    parser.add_argument("--language", choices=tuple(Language), default="en", help="default: en")
    parser.add_argument("--store", metavar="ID", help="the store of rows that name none")
    parser.add_argument(
        "--partial", action="store_true", help="of import: leave out the rows with mistakes"
    )
    parser.add_argument("--errors", metavar="FILE.csv", help="write the mistakes there, too")
    parser.add_argument(
        "--marked", metavar="FILE.xlsx", help="write a copy of a workbook with them marked"
    )


def the_file(verb: str, words: Sequence[str]) -> Path:
    """The one file that is named. Raises BadArgument."""
    if len(words) != 1:
        right = f"scrapy … {verb} rules.xlsx"
        raise BadArgument(
            Said(
                f"{verb}: name one file. A right one: {right}",
                f"{verb}: назовите один файл. Например: {right}",
            )
        )
    return Path(words[0]).expanduser()


def language(opts: argparse.Namespace) -> Language:
    """The language that is spoken."""
    return Language(opts.language)


def store_of(opts: argparse.Namespace) -> MerchantId | None:
    """The store that --store names. Raises BadArgument."""
    try:
        return None if opts.store is None else merchant_id(opts.store)
    except NotAListing as error:
        raise BadArgument(
            Said(f"store: {error}", f"store: {opts.store!r} — не id продавца. Например: 11271005")
        ) from None


def tell(path: Path, looked: "Looked", opts: argparse.Namespace) -> None:
    """Say what is wrong with a file, and write it where the options say.

    Raises BadArgument, OSError.
    """
    from kaspi_crawler.rules.report import complaints  # noqa: PLC0415

    for line in complaints(looked, language(opts)):
        sys.stderr.write(f"{line}\n")
    if opts.errors is not None:
        _write_errors(Path(opts.errors), looked, language(opts))
    if opts.marked is not None:
        _write_marked(path, Path(opts.marked), looked, language(opts))


def _write_errors(errors: Path, looked: "Looked", speech: Language) -> None:
    from kaspi_crawler.rules.mistakes import write_table  # noqa: PLC0415
    from storage.files import whole_file  # noqa: PLC0415

    with whole_file(errors) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        write_table(text, looked.told, speech)
        text.detach()


def _write_marked(path: Path, marked: Path, looked: "Looked", speech: Language) -> None:
    from kaspi_crawler.rules.marked import write_marked  # noqa: PLC0415
    from storage.files import whole_file  # noqa: PLC0415

    if path.suffix.lower() != ".xlsx" or marked.suffix.lower() != ".xlsx":
        raise BadArgument(
            Said(
                "marked: only a workbook can be marked. A right one: --marked wrong.xlsx",
                "marked: отметить можно только книгу. Например: --marked wrong.xlsx",
            )
        )
    if looked.spoilt and not looked.rows:
        return  # what cannot be read cannot be marked
    with whole_file(marked) as file:
        write_marked(path, file, looked.told, speech)
