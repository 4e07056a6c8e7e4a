"""What the demo shows: sentences, tables, and what to try next; never wider than the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from textwrap import fill

from rich.table import Table

from domain.identity import MerchantId
from domain.moments import ALMATY
from kaspi_crawler.demonstration.shop import Book
from kaspi_crawler.feed.pulls import Pull
from kaspi_crawler.outbox_words import span
from kaspi_crawler.said import Language
from storage.demonstration import Figures
from storage.ladder import Report

#: Signs of a line that the frame of a table with two columns takes.
_FRAME = 7
_ACTIONS = {
    "set": "to be set",
    "hold": "to be held",
    "review": "to be looked at by a person",
    "off": "left alone",
}


def bullet(sentence: str, width: int) -> str:
    """A sentence whose further lines begin where the first one did."""
    return _wrapped(sentence, width, "• ", "  ")


def indented(line: str, width: int) -> str:
    """A line of a command's, whose further lines begin two signs behind the first one."""
    text = line.lstrip(" ")
    depth = len(line) - len(text) + 2
    return _wrapped(text, width, " " * depth, " " * (depth + 2))


def _wrapped(text: str, width: int, first: str = "", further: str = "") -> str:
    """A text in lines; unlike rich it keeps together what a no-break space joins: 25 753 ₸."""
    return fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def short(path: Path) -> str:
    """A path as one who stands here would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def told_moves(moved: Mapping[str, int]) -> str:
    """What became of the boards meanwhile."""
    return ", ".join(
        f"{moved[name]:,} {name}" for name in ("changed", "left", "arrived", "returned")
    )


def told_pull(pull: Pull) -> str:
    """When Kaspi took the feed, by our log of pulls."""
    return (
        f"Kaspi, here the sandbox, took it at {pull.at.astimezone(ALMATY):%H:%M:%S}, by our log of "
        f"pulls: {pull.size:,} bytes to {pull.source}, {pull.agent}"
    )


def findings(found: Figures, changed: Figures, fall: Figures) -> Table:
    """What the memory holds, and what the last crawl made of it."""
    table = _plain("What was found, and what changed", "", "")
    for name, meaning in (
        ("products", "products"),
        ("boards", "boards (product × city)"),
        ("offers", "offers that stand now"),
        ("sellers", "sellers met"),
        ("history", "rows of offer history"),
    ):
        table.add_row(meaning, f"{found[name]:,}")
    table.add_section()
    for name, meaning in (
        ("changed", "offers changed since the first crawl"),
        ("arrived", "sellers who were never met before"),
        ("returned", "sellers who returned"),
        ("left", "sellers who left"),
    ):
        table.add_row(meaning, f"{changed[name]:,}")
    if fall:
        table.add_section()
        table.add_row(
            f"largest fall: {fall['name']} ({fall['seller'].strip()})",
            f"{fall['before']:,} → {fall['now']:,} ₸",
        )
    return table


def decisions(
    title: str, decided: Mapping[str, int], sentences: Iterable[tuple[str, str, str]], width: int
) -> Table:
    """How our prices were decided, and some of the decisions with their sentences."""
    counts = ", ".join(
        f"{decided[action]:,} {meaning}"
        for action, meaning in _ACTIONS.items()
        if action in decided
    )
    table = Table("article", "decision", title=f"{title}: {counts}", show_lines=True)
    told = list(sentences)
    left = width - max((len(sku) for sku, _, _ in told), default=0) - _FRAME
    for sku, *languages in told:
        table.add_row(sku, "\n".join(_wrapped(sentence, left) for sentence in languages))
    return table


def comparison(report: Report, pushed: int, live: int, book: Book, alike: int) -> Table:
    """What became of our prices: by what we remember, and by the marketplace's own book."""
    applied = report.counts.get("applied", 0)
    failed = sum(report.refused.values()) + sum(report.unverified.values())
    table = _plain("What became of our prices", "", "our memory", "the sandbox's book")
    table.show_header = True
    for meaning, ours, theirs in (
        ("articles pushed through the cabinet", pushed, book.pushed),
        ("prices live by the cabinet", applied, book.by_cabinet),
        ("prices live by the feed", report.unsent, book.by_feed),
        ("the same live price, one by one", live, alike),
        ("refused or not verified", failed, book.refused),
    ):
        table.add_row(meaning, f"{ours:,}", f"{theirs:,}")
    table.add_row("points dropped, sold-out goods reopened", "", f"{book.wrongs:,}")
    if report.latency:
        half, most, _ = report.latency
        table.caption = (
            f"By the cabinet, from accepted to seen: half of them {_told(half)}, 95 % "
            f"{_told(most)}; the sandbox's clock was moved meanwhile"
        )
    return table


def answer(changed: Figures, stood: Sequence[tuple[int, int]]) -> Table:
    """What the rivals did, and on how many boards nobody asked less than we, reading by reading."""
    table = _plain("Where we stand", "", "before", "our prices live", "the rivals' answer")
    table.show_header = True
    table.add_row("boards with our offer", *(f"{boards:,}" for boards, _ in stood))
    table.add_row("nobody asks less than we", *(f"{first:,}" for _, first in stood))
    table.caption = f"Since our prices were live: {told_moves(changed)} on these boards"
    return table


def what_next(exports: Path, way_in: str, store: MerchantId) -> str:
    """What to type next."""
    files = "\n".join(f"  {short(path)}" for path in sorted(exports.glob("latest/*.json")))
    scrapy = f"{way_in}.venv/bin/scrapy"
    return f"""
[bold]The files[/bold]
{files}
  {short(exports)}/products/ and {short(exports)}/offers/: a file for each crawl
[bold]Try next[/bold]
  {scrapy} database psql -c "SELECT name, min_price FROM products"
  {scrapy} export history --format xlsx --since 24h
  {scrapy} why {store} --action set
  {scrapy} publish status {store}
  {scrapy} feed status
  {scrapy} replay --store {store} --strategy profit --lag 0
  .venv/bin/scrapy crawl products -a products=102298404
  docs/database.md: questions the database answers
  docs/publishing.md: how prices leave, what is official, what is not"""  # noqa: S608  (a command to type)


def _plain(title: str, *heads: str) -> Table:
    """A table of meanings and figures."""
    table = Table(*heads, title=title, show_header=False)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _told(much: timedelta) -> str:
    return span(much, Language.ENGLISH)
