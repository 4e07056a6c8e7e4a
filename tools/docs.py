"""Make what of docs/ comes from the code: sources, stages, database, rules, pictures.

`python -m tools.docs` writes them; a test makes them anew and compares.
"""

import importlib
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.project import get_project_settings

from kaspi_crawler.rules.columns import LISTINGS, RULES, Layout
from storage.ready import ready_address
from storage.schema import libpq_address
from tools.pictures import pictures

ROOT = Path(__file__).resolve().parent.parent
_MADE = "<!-- Made by `make docs` from the code: change it there. -->\n\n"

_COLUMNS = """
SELECT pg_class.relname, obj_description(pg_class.oid, 'pg_class'),
       attname, format_type(atttypid, atttypmod), NOT attnotnull,
       col_description(pg_class.oid, attnum)
FROM pg_class
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
    AND relname <> 'alembic_version'
ORDER BY array_position(
    ARRAY['products', 'product_history', 'product_changes', 'product_cards', 'boards', 'offers',
          'offer_history', 'offer_history_daily', 'work_list', 'listing_hints',
          'listing_hint_history', 'found_in', 'found_variants', 'categories', 'category_counts',
          'sitemap_categories', 'review_texts', 'reviewed_products', 'review_readings',
          'review_rates', 'stores', 'listings', 'listing_points', 'listing_prices', 'rule_lines',
          'price_rules', 'rule_changes', 'decisions', 'intentions', 'pushes', 'change_budgets',
          'baselines', 'baseline_prices',
          'cabinet_accounts', 'runs', 'alerts', 'timetable',
          'timetable_ticks'],
        relname::text),
    relname, attnum
"""

_STAGES = """An item walks through the stages in the order of their numbers, and only forward. Each
stage is one file of `pipelines/`, listed once in `kaspi_crawler/settings.py`.
"""

_DATABASE = """# The database

Every table and column, and questions with their answers in SQL. The way in:

```
scrapy database psql                      # a prompt; -c "…" runs one statement
scrapy database url                       # the address, for any client
scrapy database status                    # server, size, rows, migrations
scrapy export history --format xlsx       # or without SQL
```

Prices are whole tenge. Moments are `timestamptz`, in UTC; `AT TIME ZONE 'Asia/Almaty'` shows them
as people in Kazakhstan see them. Ids of products, cities and merchants are texts, as the
marketplace sends them.

History is change-only: a row says how a thing was from its moment until the next row of the same
thing. First sighting, change, disappearance and return each make a row; an unchanged reading makes
none and only moves `checked_at`. So the state at a moment is the last row at or before it:
`board_at(product, city, moment)` answers that for a whole board: who stood on it with which price,
delivery class, preorder, bonus and rating, exactly. `delivery_days` and `merchant_reviews` are
those of `since`, because a change of them alone makes no row. Before the first reading of a board,
and for months that were rolled up, the answer is empty.

A board that could not be read whole (`complete` is false) may bring news of offers that were seen,
but never says that somebody left.

What listings show is kept apart, as hints (`listing_hints`): no price of a listing is an offer.
`scrapy sales estimate` guesses sales from `review_texts`, as intervals.

`offer_history` has a partition a month. `scrapy database retain --months N` rolls older months up
into `offer_history_daily` and drops them; `board_at` stays exact for every moment that is kept.

"""


_RULES = """# Rules in a table

One row a listing, in Excel (`.xlsx`), CSV or YAML. [strategies.md](strategies.md) says what the
words do, [money.md](money.md) what is allowed.

```
scrapy rules template rules.xlsx --language ru   # an empty table with examples
scrapy rules check rules.xlsx                    # what is wrong; nothing is written
scrapy rules import rules.xlsx                   # from now on it holds: all rows, or none
scrapy rules export rules.xlsx --store 30000001  # what holds now
scrapy rules history                             # the last changes
scrapy rules undo 7                              # take one back
scrapy listings import listings.csv              # our articles, for a start
scrapy listings list
```

`--language ru` speaks Russian, in files, too; what is read may be in either. Every mistake is
named with its sheet, row, column, value and what would be right. `--errors FILE.csv` keeps them
as a table, `--marked FILE.xlsx` as a copy of the workbook with the cells coloured. Nothing is
applied while anything is wrong, unless `--partial` says that the rows which are right are to
hold; a column that nobody knows lets nothing pass. Warnings are about what is allowed and seldom
meant. The exit code is 0 when all is right, 1 when something is wrong, 2 when the command cannot
be understood.

## How rows work

- `store` and `sku` name the listing. `product` is needed the first time, or `scrapy listings
  import`; either puts it on the work list, so that its board is read (in Almaty, or in `city`).
- **A row without `sku` is the store's defaults**: they hold wherever a row says nothing. It may
  also say the store's `name`, its `owner` and its `sisters`. Stores of one owner never undercut
  each other; those for which no owner is said count as one owner's, so name the owners where
  several keep their stores in one database.
- **A row with `city`** holds there, over the row without one. So of four rows that concern a
  price, the nearest has the last word: the article's in the city, the article's, the store's in
  the city, the store's.
- **An empty cell** says nothing: the defaults hold, and what the row said before is taken back.
  So a table that was exported and edited means what it shows. `check` and `import` name each
  value that empty cells take back, and count them; `undo` brings them back. To change one thing,
  leave the other columns out. **A dash** (`-`) says "none, whatever the defaults are".
- A merchant has one offer under a card. Of two articles under one card the first that was listed
  and is on sale is priced, the other is left alone.
- `undo` takes back what rows said; which card an article is listed under, and what is said of a
  store, stay.
- A column that is not in the file keeps what it said; a row that is not in the file stays as it
  is. In YAML a line says all that there is to say.
- Rows that begin with `# ` are examples or remarks, and are not read. Titles above the header are
  no harm; sheets without such a header, and hidden ones, are passed over.

## What may be typed

- **Money** is whole tenge: `9500`, `9 500`, `9 500 ₸`, `9500,00`. Not `9500.5`, and not `9,5` or
  `9,500`, which may mean two things.
- **A share** is `12.5 %`, `12,5 %`, a cell that Excel shows as a percentage, or whole basis
  points: `1250`. A bare `12` is 0.12 %, and is warned of.
- **A switch** is yes or no, да or нет, true or false, 1 or 0, вкл or выкл.
- **A list** is separated by commas, semicolons or blanks.
- **Windows** are hours in Almaty time, what to do, and days at the end (none: every day),
  separated by semicolons: `22:00-07:00 hold; 09:00-18:00 work mon-fri`, `22-7 держать будни`.
  What to do is `work` (работать), `hold` (держать), `ceiling` (потолок) or `reset` (сброс); days
  are `mon`-`sun`, `пн`-`вс`, `1`-`7`, weekdays (будни) and weekends (выходные), with `-` and `,`.
- Words may be in either language, in any case. Names of columns, too: the key or the Russian
  title.
- CSV may be in UTF-8, UTF-16 or Windows-1251, with commas, semicolons or tabs.

Mistakes that Excel makes are named, not guessed around: articles that became a date or `1.2E+12`,
formulas whose result was never saved, `#REF!`, merged cells. Articles, products and stores are
texts in the template, so that zeros in front stay.

"""


def rules() -> str:
    """docs/rules.md: how tables of rules are written, and their columns."""
    told = [f"{_RULES}{_MADE}## Columns\n\n", *_columns(RULES)]
    told += ["\n## Columns of `scrapy listings import`\n\n", *_columns(LISTINGS)]
    return "".join(told)


def _columns(layout: Layout) -> Iterator[str]:
    yield "| column | по-русски | meaning | right | example |\n|---|---|---|---|---|\n"
    for column in layout.columns:
        example = column.example.en
        if column.example.ru != example:
            example = f"{example}` · `{column.example.ru}"
        yield (
            f"| `{column.key}` | {column.russian} | {column.meaning.en} | {column.form.right.en} "
            f"| `{example}` |\n"
        )


def sources(settings: Settings) -> str:
    """docs/sources.md: each spider with what it reads and may be told."""
    loader = get_spider_loader(settings)
    parts = [
        f"# Sources\n\n{_MADE}Each source is a spider: `scrapy crawl NAME -a argument=value`.\n"
    ]
    for name in sorted(loader.list()):
        text = inspect.getdoc(loader.load(name)) or ""
        described, _, listed = text.partition("\nArguments\n")
        arguments = inspect.cleandoc(listed)
        parts.append(f"\n## {name}\n\n{described.strip()}\n\n```\n{arguments}\n```\n")
    return "".join(parts)


def stages(settings: Settings) -> str:
    """docs/stages.md: each stage with its number, verb and promise."""
    parts = [f"# Stages\n\n{_MADE}{_STAGES}"]
    listed: dict[str, int] = settings.getdict("ITEM_PIPELINES")
    for path, number in sorted(listed.items(), key=lambda item: item[1]):
        module_name, _, class_name = path.rpartition(".")
        module = importlib.import_module(module_name)
        sentence = (inspect.getdoc(module) or "").partition(": ")[2]
        promise = inspect.getdoc(getattr(module, class_name)) or ""
        parts.append(
            f"\n## {number} {module_name.rpartition('.')[2]}\n\n"
            f"{sentence[:1].upper()}{sentence[1:]}\n\n{promise}\n"
        )
    return "".join(parts)


def database(connection: psycopg.Connection[Any]) -> str:
    """docs/database.md: tables and columns from their comments, queries from docs/queries."""
    tables, queries = "".join(_tables(connection)), "".join(_queries())
    return f"{_DATABASE}{_MADE}{tables}\n## Questions and answers\n{queries}"


def _tables(connection: psycopg.Connection[Any]) -> Iterator[str]:
    table = None
    for name, about, column, form, nullable, meaning in connection.execute(_COLUMNS):
        if name != table:
            table = name
            yield f"\n## {name}\n\n{about}\n\n| column | type | meaning |\n|---|---|---|\n"
        yield f"| `{column}` | {form}{' or null' if nullable else ''} | {meaning} |\n"


def _queries() -> Iterator[str]:
    for path in sorted((ROOT / "docs" / "queries").glob("*.sql")):
        question, _, statement = path.read_text(encoding="utf-8").partition("\n")
        yield f"\n### {question.removeprefix('-- ')}\n\n```sql\n{statement.strip()}\n```\n"


def pages(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The text of each page, by its name in docs/."""
    settings = get_project_settings()
    return {
        "sources.md": sources(settings),
        "stages.md": stages(settings),
        "database.md": database(connection),
        **{f"pictures/{name}": text for name, text in pictures().items()},
        "rules.md": rules(),
    }


def main() -> None:
    """Write the pages."""
    settings = get_project_settings()
    address = ready_address(os.environ.get("DATABASE_URL", ""), Path(settings["DATA_DIR"]))
    with psycopg.connect(libpq_address(address)) as connection:
        for name, text in pages(connection).items():
            path = ROOT / "docs" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
