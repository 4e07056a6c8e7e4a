"""`scrapy rules`: the rules for our prices as tables that people edit."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.settings import Settings

from domain.moments import ALMATY
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.rules.options import (
    add_table_options,
    language,
    store_of,
    tell,
    the_file,
)
from kaspi_crawler.said import Language, Said, spaced
from kaspi_crawler.verbs import VerbCommand, database_of

if TYPE_CHECKING:
    # At run time these are imported when they are needed: the other commands start faster.
    from kaspi_crawler.rules.importing import Proposal

VERBS = {
    "template": "write an empty table with examples: .xlsx, .csv or .yaml",
    "check": "say what is wrong in a table; nothing is written",
    "import": "let the rows of a table hold from now on, all or none; or --partial",
    "export": "write the rules that hold as a table; of --store, or all",
    "history": "show the last changes: number, moment, lines, source, separated by tabs",
    "undo": "take a change back, by its number",
}
_MOST_CHANGES = 10_000


class Command(VerbCommand):
    """One row a listing; docs/rules.md explains the columns."""

    verbs = VERBS
    about = "Rules for prices: template, check, import, export, history, undo"
    follows = "file, or the number of a change"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_table_options(parser)

    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        return _DOING[verb](words, opts, settings)


def _template(words: Sequence[str], opts: argparse.Namespace, _settings: Settings) -> int:
    from kaspi_crawler.rules.sheets import format_of  # noqa: PLC0415
    from kaspi_crawler.rules.template import write_template  # noqa: PLC0415
    from storage.files import whole_file  # noqa: PLC0415

    path = the_file("template", words)
    form = format_of(path)
    if path.exists():
        raise BadArgument(
            Said(
                f"{path} is there already: name a new file, lest what is in it be lost",
                f"{path} уже есть: назовите новый файл, чтобы не потерять то, что в нём",
            )
        )
    with whole_file(path) as file:
        write_template(file, form, language(opts))
    sys.stdout.write(f"{path}\n")
    return 0


def _check(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.rules.report import taken_back, verdict  # noqa: PLC0415

    looked = _look("check", words, opts, settings).looked
    sys.stdout.write(f"{verdict(looked, language(opts))}\n")
    if looked.erased:
        sys.stdout.write(f"{taken_back(looked, language(opts), done=False)}\n")
    return 0 if looked.right else 1


def _import(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.rules import report  # noqa: PLC0415

    speech = language(opts)
    proposal = _look("import", words, opts, settings)
    looked, outcome = proposal.looked, proposal.outcome
    if looked.spoilt or not (looked.right or opts.partial):
        sys.stdout.write(f"{report.refusal(looked, speech)}\n")
        return 1
    from storage import rules  # noqa: PLC0415

    source = Path(words[0]).name
    try:
        done = rules.apply(
            database_of(settings), outcome.lines, source, outcome.stores, proposal.seen
        )
    except rules.ChangedMeanwhile as error:
        why = "import: в этот момент правила изменил кто-то другой, повторите"
        raise BadArgument(Said(f"import: {error}", why)) from None
    if looked.left_out:
        sys.stdout.write(f"{report.left_out(looked, speech)}\n")
    told = report.applied(done.changed, len(outcome.lines), done.rules, done.change, speech)
    sys.stdout.write(f"{told}\n")
    if looked.erased:
        sys.stdout.write(f"{report.taken_back(looked, speech, done=True)}\n")
    if done.moved:
        sys.stdout.write(f"{report.moved(done.moved, speech)}\n")
    return 0 if looked.right else 1


def _look(
    verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
) -> "Proposal":
    """Look at a file and tell what is wrong with it."""
    from kaspi_crawler.rules.importing import look  # noqa: PLC0415

    path = the_file(verb, words)
    proposal = look(path, store_of(opts), lambda: database_of(settings), partial=opts.partial)
    tell(path, proposal.looked, opts)
    return proposal


def _export(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    from kaspi_crawler.rules.columns import RULES  # noqa: PLC0415
    from kaspi_crawler.rules.records import records  # noqa: PLC0415
    from kaspi_crawler.rules.sheets import format_of  # noqa: PLC0415
    from kaspi_crawler.rules.writing import WRITERS  # noqa: PLC0415
    from storage import listings, rules, stores  # noqa: PLC0415
    from storage.files import whole_file  # noqa: PLC0415

    path, store = the_file("export", words), store_of(opts)
    form, address = format_of(path), database_of(settings)
    # YAML is for programs and for whoever keeps his rules as they do.
    speech = Language.ENGLISH if form == "yaml" else language(opts)
    names = {
        (listing.store, listing.sku): listing.name
        for listing in listings.ours(address, store)
        if listing.name
    }
    rows = records(rules.lines(address, store), stores.stores(address, store), names, speech)
    with whole_file(path.resolve()) as file:
        count = WRITERS[form](file, RULES.columns, rows, speech)
    told = Said(f"{count:,} rows to {path}", f"строк: {spaced(count)}, файл: {path}")
    sys.stdout.write(f"{told.in_(language(opts))}\n")
    return 0


def _history(words: Sequence[str], _opts: argparse.Namespace, settings: Settings) -> int:
    most = _number("history", words or ["50"], _MOST_CHANGES)
    from storage import rules  # noqa: PLC0415

    for change in rules.changes(database_of(settings), most):
        moment = change.made_at.astimezone(ALMATY)
        sys.stdout.write(f"{change.id}\t{moment:%Y-%m-%d %H:%M}\t{change.lines}\t{change.source}\n")
    return 0


def _undo(words: Sequence[str], opts: argparse.Namespace, settings: Settings) -> int:
    number = _number("undo", words, 2**62)
    from kaspi_crawler.rules.report import applied, cannot_undo  # noqa: PLC0415
    from storage import rules  # noqa: PLC0415

    try:
        done = rules.undo(database_of(settings), number)
    except rules.CannotUndo as error:
        sys.stderr.write(f"scrapy rules: {cannot_undo(error, language(opts))}\n")
        return 1
    told = applied(done.changed, done.changed, done.rules, done.change, language(opts))
    sys.stdout.write(f"{told}\n")
    return 0


_DOING: Mapping[str, Callable[[Sequence[str], argparse.Namespace, Settings], int]] = {
    "template": _template,
    "check": _check,
    "import": _import,
    "export": _export,
    "history": _history,
    "undo": _undo,
}


def _number(verb: str, words: Sequence[str], most: int) -> int:
    text = words[0] if len(words) == 1 else ""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= most):
        right = f"scrapy rules {verb} 7"
        raise BadArgument(
            Said(
                f"{verb}: say a number. A right one: {right}",
                f"{verb}: назовите номер. Например: {right}",
            )
        )
    return int(text)
