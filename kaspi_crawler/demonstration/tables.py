"""What the demo shows at its end: what was found, what was decided, what to try next."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.table import Table

from domain.identity import MerchantId
from storage.demonstration import Figures

_ACTIONS = {
    "set": "to be set",
    "hold": "to be held",
    "review": "to be looked at by a person",
    "off": "left alone",
}


def told_moves(moved: Mapping[str, int]) -> str:
    """What became of the boards meanwhile."""
    return ", ".join(
        f"{moved[name]:,} {name}" for name in ("changed", "left", "arrived", "returned")
    )


def findings(found: Figures, changed: Figures, fall: Figures) -> Table:
    """What the memory holds, and what the last crawl made of it."""
    table = Table("", "", title="What was found, and what changed", show_header=False)
    table.columns[1].justify = "right"
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


def decisions(decided: Mapping[str, int], sentences: Iterable[tuple[str, str, str]]) -> Table:
    """How our prices were decided, and some of the decisions with their sentences."""
    counts = ", ".join(
        f"{decided[action]:,} {meaning}"
        for action, meaning in _ACTIONS.items()
        if action in decided
    )
    table = Table("article", "decision", title=f"Our prices: {counts}", show_lines=True)
    for sku, english, russian in sentences:
        table.add_row(sku, f"{english}\n{russian}")
    table.caption = "A dry run: nothing is sent anywhere."
    return table


def what_next(exports: Path, way_in: str, store: MerchantId | None) -> str:
    """What to type next."""
    files = "\n".join(f"  {path}" for path in sorted(exports.glob("latest/*.json")))
    return f"""[bold]The files[/bold]
{files}
  {exports}/products/ and {exports}/offers/ — a file for each crawl
[bold]Try next[/bold]
  {way_in}.venv/bin/scrapy database psql -c "SELECT name, min_price FROM products LIMIT 5"
  {way_in}.venv/bin/scrapy export history --format xlsx --since 24h
  {way_in}.venv/bin/scrapy why {store} --action set
  {way_in}.venv/bin/scrapy replay --store {store} --strategy undercut --strategy profit --lag 0
  .venv/bin/scrapy crawl products -a products="https://kaspi.kz/shop/p/…-102298404/"
  docs/database.md — questions the database answers"""  # noqa: S608  (a command to type)
