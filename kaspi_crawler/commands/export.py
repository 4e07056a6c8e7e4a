"""`scrapy export`: what the database remembers, as a file."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs
from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.spoken_moments import EXPLAINED, spoken_moment

if TYPE_CHECKING:
    # At run time these are imported when they are needed: the other commands start faster.
    from storage.exports import Selection

T = TypeVar("T")

WHAT = {
    "products": "a row a product",
    "offers": "a row an offer that stands; with --since, those that changed or left since",
    "history": "a row a change of an offer",
    "board": "the offers as they stood at one moment (--at)",
    "decisions": "the last decision on each of our prices; with --since, all since then",
}
OPTIONS = {
    "--output": (
        "FILE",
        "default: a new file in EXPORTS_DIR; a directory: a new file in it; -: standard output",
    ),
    "--since": ("MOMENT", f"what changed since: {EXPLAINED}"),
    "--at": ("MOMENT", f"the moment of board: {EXPLAINED}; default: now"),
    "--products": ("LIST", "ids or addresses separated by commas, or @file; default: all"),
    "--cities": ("LIST", "city ids or names; default: all (of products it is the home city)"),
}
FORMATS = ("jsonl", "json", "csv", "xlsx")
#: What --output is called when it is the standard output.
STDOUT = "-"


class Command(ScrapyCommand):
    """Reads the database only; rows pass one by one, whatever the size of the table."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return f"[options] {'|'.join(WHAT)}"

    def short_desc(self) -> str:
        return "Products, offers, history, a past board or decisions, as jsonl, json, csv or xlsx"

    def long_desc(self) -> str:
        return "; ".join(f"{what}: {meaning}" for what, meaning in WHAT.items())

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("what", choices=tuple(WHAT), help="what to export")
        ours = parser.add_argument_group("Export")
        ours.add_argument("--format", choices=FORMATS, help="default: as --output ends, or jsonl")
        for option, (placeholder, meaning) in OPTIONS.items():
            ours.add_argument(option, metavar=placeholder, help=meaning)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        settings = self.settings or Settings()
        with in_a_sentence("export"):
            if args:
                raise BadArgument(f"there is no {args[0]!r}; see `scrapy export --help`")
            now = datetime.now(UTC)
            wanted = _selection(opts, now)
            target = _target(opts, Path(settings["EXPORTS_DIR"]), now)
            count = _write(settings, opts.what, target, wanted)
        sys.stderr.write(f"{count:,} rows of {opts.what} to {target.said}\n")


@attrs.frozen(kw_only=True)
class Target:
    """Where the rows go, and in which format; the path is None for the standard output."""

    path: Path | None
    form: str

    @property
    def said(self) -> str:
        """The target as people call it."""
        return "standard output" if self.path is None else str(self.path)


def _selection(opts: argparse.Namespace, now: datetime) -> "Selection":
    """The rows that the options choose. Raises BadArgument."""
    from storage.exports import Selection  # noqa: PLC0415

    if opts.what == "board" and opts.since is not None:
        raise BadArgument("since: a board is shown as of one moment. A right one: --at 24h")
    if opts.what != "board" and opts.at is not None:
        raise BadArgument(f"at: only board has a moment, {opts.what} take --since")
    return Selection(
        products=_listed("products", opts.products, arguments.product_ids),
        cities=_listed("cities", opts.cities, arguments.cities),
        since=None if opts.since is None else spoken_moment("since", opts.since, now),
        at=None if opts.at is None else spoken_moment("at", opts.at, now),
    )


def _listed(name: str, text: str | None, read: Callable[[str], T]) -> T | None:
    try:
        return None if text is None else read(text)
    except BadArgument as error:
        # The same lists are told to spiders, in the way of spiders.
        raise BadArgument(str(error).replace(f"-a {name}=", f"--{name} ")) from None


def _target(opts: argparse.Namespace, exports: Path, now: datetime) -> Target:
    """Where to write. Raises BadArgument for a workbook on the standard output."""
    if opts.output == STDOUT:
        if opts.format == "xlsx":
            raise BadArgument("output: a workbook needs a file. A right one: --output prices.xlsx")
        return Target(path=None, form=opts.format or "jsonl")
    path = exports if opts.output is None else Path(opts.output).expanduser()
    within = opts.output is None or path.is_dir() or opts.output.endswith("/")
    form = opts.format or "jsonl" if within else _form(path, opts.format)
    if within:
        path /= f"{opts.what}-{now:%Y%m%dT%H%M%SZ}.{form}"
    return Target(path=path, form=form)


def _form(path: Path, wanted: str | None) -> str:
    """The format of a named file. Raises BadArgument when its name says another one."""
    ending = path.suffix.lower().removeprefix(".")
    if path.exists() and not path.is_file():
        return wanted or "jsonl"  # a pipe or a device
    if ending and (ending not in FORMATS or ending != (wanted or ending)):
        raise BadArgument(
            f"output: {path.name} does not end as {wanted or 'a format of ours'} does. "
            f"A right one: --output {path.stem}.{wanted or 'xlsx'} ({', '.join(FORMATS)})"
        )
    return wanted or ending or "jsonl"


def _write(settings: Settings, what: str, target: Target, wanted: "Selection") -> int:
    """Write the rows and count them. A file appears when it is whole, or not at all."""
    from storage.exports import export, export_into  # noqa: PLC0415
    from storage.ready import ready_address  # noqa: PLC0415

    address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
    with _named(target):
        if target.path is None:
            count = export_into(sys.stdout.buffer, address, what, target.form, wanted)
            sys.stdout.buffer.flush()
            return count
        with _progress(what) as heard:
            if target.path.exists() and not target.path.is_file():
                # A pipe or a device: nothing may take its name.
                with target.path.open("wb") as file:
                    return export_into(file, address, what, target.form, wanted, heard=heard)
            # Where a link stands, the file that it names is replaced.
            path = target.path.resolve()
            return export(address, what, target.form, path, wanted, heard=heard)


@contextmanager
def _named(target: Target) -> Iterator[None]:
    """Say which file it was that the operating system refused, by the name that people know."""
    try:
        yield
    except OSError as error:
        from storage.files import PARTIAL  # noqa: PLC0415

        nameless = error.filename is None or str(error.filename).endswith(PARTIAL)
        name = target.said if nameless else error.filename
        raise OSError(error.errno, error.strerror or str(error), name) from None


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """A counter on the terminal of a person who watches."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status(f"{what}: asking the database") as status:
        yield lambda count: status.update(f"{what}: {count:,} rows")
