"""A crawl through a storm: `python -m benchmarks.storm`, or `make bench-storm`.

Eight exits, two of them dead and one banned midway, and every fifth answer bad in some way. What
was stored is compared with the market's own truth, row by row.
"""

import argparse
import html
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs
import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from benchmarks.place import databases

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
CITY = "750000000"
#: Offers on one page of a board.
PAGE = 64
#: What an exit bears at once: API_BURST and one page, and what half a second brings; for
#: questions are held up on a busy machine as long as they were at a slower pace.
BURST, HELD_UP = 4, 0.5
#: Seconds after which a crawl hangs.
PATIENCE = 900

#: Kinds of faults by where they can happen, with their weights. The four groups together make
#: `bad` of all answers about offers; pages and reviews have their own mix of about as much.
_ANYWHERE = {
    "forbidden": 4,
    "too_many_requests": 3,
    "method_not_allowed": 2,
    "server_error": 4,
    "captcha": 2,
    "captcha_forbidden": 1,
    "truncated": 5,
    "broken_off": 4,
    "reset": 4,
    "reset_midway": 3,
    "slow": 3,
    "hanging": 1,
    "gzip_lie": 2,
    "gzip_damaged": 2,
    "huge": 0.5,
    "bomb": 0.5,
    "missing_keys": 3,
    "extra_keys": 3,
    "numbers_as_strings": 3,
}
_JSON = {"html_for_json": 4, "deep": 1}
_OFFERS = {"shifting": 4, "duplicated": 4, "missing_essential": 1}
_PAGES = {"empty_shell": 4, "no_state": 2, "stripped": 2, "js_state": 2}
_BOTH = {"other_product": 1}

_UNREAD = re.compile(r"Product (\d+)(?: in city \d+)? was not read: (.*?)(?:\. |$)")
_NOT_WHOLE = re.compile(
    r"The board of product (\d+) in city \d+ (is incomplete|was not stored: .*)"
)


def mix(bad: float) -> dict[str, float]:
    """The share of each kind, so that `bad` of the answers about offers and of pages are bad."""
    parts = ((_ANYWHERE, 0.7), (_JSON, 0.1), (_OFFERS, 0.15), (_PAGES, 0.25), (_BOTH, 0.05))
    return {
        kind: bad * part * weight / sum(kinds.values())
        for kinds, part in parts
        for kind, weight in kinds.items()
    }


@attrs.frozen(kw_only=True)
class Storm:
    """What a crawl goes through. `delay` is seconds between two questions through one exit."""

    spider: str = "offers"
    products: int = 2_000
    bad: float = 0.2
    exits: int = 8
    dead: int = 2
    lying: int = 0
    slow: int = 0
    delay: float = 0.05
    seed: int = 1
    direct: bool = False

    @property
    def haste(self) -> float:
        """How much faster time runs than outside, where an exit is asked once a second."""
        return 1 / self.delay

    @property
    def rate(self) -> float:
        """Questions a second that one exit bears: those to the API, and those for pages."""
        return (2 if self.spider == "products" else 1) / self.delay

    def switches(self, ideal: int) -> Mapping[str, object]:
        """What is wrong with the market when `ideal` questions would do on a fine day."""
        alive = self.exits - self.dead
        banned: list[dict[str, object]] = [{"ban_after": ideal // alive // 2}] if alive > 1 else []
        states = [
            *[{"state": "dead"}] * self.dead,
            *banned,
            *[{"state": "lying"}] * self.lying,
            *[{"state": "slow", "delay": 1}] * self.slow,
        ]
        return {
            "random": mix(self.bad),
            "seed": self.seed,
            "limits": {
                "rate": self.rate,
                "burst": BURST + int(self.rate * HELD_UP),
                "ban_seconds": 10 / self.haste,
            },
            "exits": {f"exit-{number}": state for number, state in enumerate(states, start=1)},
            "slow_seconds": 1,
            "huge_megabytes": 60,
        }


@attrs.frozen
class Market:
    """A running sandbox."""

    address: str

    def told(self, path: str) -> Any:
        """What it says of itself."""
        with urlopen(f"{self.address}{path}", timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def sent(self, path: str, body: object) -> Any:
        """What it answers to a body."""
        request = Request(f"{self.address}{path}", json.dumps(body).encode())  # noqa: S310
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def totals(self) -> dict[str, int]:
        """How many offers each product has in our city."""
        return {card["id"]: card["offers"][CITY] for card in self.told("/sandbox/products")}

    def asked(self) -> Counter[str]:
        """How many questions of each kind have come."""
        return Counter(self.told("/sandbox/requests")["kinds"])

    def truth(self, product: str) -> dict[str, Row]:
        """The true offers by merchant: the ledger's line, with the API's words of a fine day."""
        words = self.sent(f"/yml/offer-view/offers/{product}", {"cityId": CITY, "sort": True})
        lines = {
            line["merchant_id"]: line
            for line in self.told(f"/sandbox/ledger/{product}/{CITY}")["offers"]
        }
        return {
            offer["merchantId"]: {**offer, **lines[offer["merchantId"]]}
            for offer in words["offers"]
        }


@contextmanager
def selling(directory: Path, products: int, exits: int) -> Iterator[Market]:
    """A sandbox whose process does not outlive the block."""
    told = directory / "market"
    told.unlink(missing_ok=True)
    words = [f"--products={products}", f"--exits={exits}", f"--port-file={told}"]
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", *words], stdout=subprocess.DEVNULL, cwd=ROOT
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not told.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the sandbox did not start: see what it said above")
                time.sleep(0.05)
            yield Market(told.read_text(encoding="utf-8"))
        finally:
            process.kill()


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of a crawl."""

    storm: Storm
    code: int
    seconds: float
    had: frozenset[str]
    named: Mapping[str, str]
    lost: frozenset[str]
    wrong: Sequence[str]
    offers: int
    asked: Counter[str]
    ideal: int
    exits: Sequence[Row]
    given: Mapping[str, int]
    closing: str

    @property
    def theoretical(self) -> float:
        """Products a second if every living exit were asked at its pace and answered well."""
        alive = 1 if self.storm.direct else self.storm.exits - self.storm.dead
        each = self.ideal / self.storm.products
        return alive * self.storm.rate / each

    @property
    def useful(self) -> float:
        """Products a second that were had."""
        return len(self.had) / self.seconds


def weather(storm: Storm, directory: Path, database: str) -> Outcome:
    """Send a crawl through a storm, and compare what it brought home with the truth."""
    with selling(directory, storm.products, storm.exits) as market:
        totals = market.totals()
        ideal = _ideal(storm, totals.values())
        market.sent("/sandbox/faults", storm.switches(ideal))
        before = market.asked()
        code, said, seconds = _crawl(storm, market, directory, database, list(totals))
        asked = market.asked() - before
        exits = market.told("/sandbox/exits")
        if storm.direct:
            exits = [market.told("/sandbox/exits/direct")]
        given = market.told("/sandbox/faults")["given"]
        market.sent("/sandbox/faults", {})
        return _judged(
            market,
            database,
            Outcome(
                storm=storm,
                code=code,
                seconds=seconds,
                had=frozenset(),
                named=_named(said),
                lost=frozenset(totals),
                wrong=(),
                offers=0,
                asked=asked,
                ideal=ideal,
                exits=exits,
                given=given,
                closing=next(
                    (line for line in said.splitlines()[::-1] if "Closed (" in line), "no end"
                ),
            ),
        )


def _ideal(storm: Storm, totals: Iterable[int]) -> int:
    boards = sum(max(1, math.ceil(total / PAGE)) for total in totals)
    return boards + (2 if storm.spider == "products" else 0) * storm.products


def _crawl(
    storm: Storm, market: Market, directory: Path, database: str, products: list[str]
) -> tuple[int, str, float]:
    listed = directory / "products.txt"
    listed.write_text("\n".join(products), encoding="ascii")
    proxies = [] if storm.direct else [one["proxy"] for one in market.told("/sandbox/exits")]
    environment = {
        **os.environ,
        "KASPI_URL": market.address,
        "KASPI_DELAY": str(storm.delay),
        "KASPI_PAGE_DELAY": str(storm.delay),
        "PROXIES": ",".join(proxies),
        "DATABASE_URL": database,
        "DATA_DIR": str(directory / "data"),
        "EXPORTS_DIR": str(directory / "exports"),
    }
    words = [
        f"-aproducts=@{listed}",
        "-sLATEST_EXPORTS=0",
        # Rests and waits are as much shorter as the pace is faster.
        f"-sSHORTEST_REST={60 / storm.haste}",
        f"-sLONGEST_REST={1800 / storm.haste}",
        f'-sFIRST_RESTS={{"forbidden": {10 / storm.haste}}}',
        "-sDOWNLOAD_TIMEOUT=4",
    ]
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", storm.spider, *words],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    (directory / "crawl.log").write_text(ended.stderr, encoding="utf-8")
    return ended.returncode, ended.stderr, time.monotonic() - began


def _named(said: str) -> dict[str, str]:
    """The products that the crawl said it could not read, each with its last reason."""
    found = (*_UNREAD.finditer(said), *_NOT_WHOLE.finditer(said))
    return {match[1]: match[2] for match in found}


# --- The truth ---------------------------------------------------------------------------------

_BOARDS = """
SELECT kaspi_id, complete, name, rung, card_checked_at, reviews_checked_at
FROM products
LEFT JOIN boards ON boards.product_id = products.id
"""
_OFFERS_STORED = """
SELECT kaspi_id, city_id, merchant_id, seller, merchant_sku, price, price_minus_bonus,
    merchant_rating::float, merchant_reviews, preorder_days, delivery_type, delivery_duration,
    offers.title
FROM offers
JOIN products ON products.id = offers.product_id
WHERE offers.gone_at IS NULL
"""
#: Our column, and what the truth calls it.
_ESSENTIAL = {"price": "price", "preorder_days": "preorder"}
#: These may be absent, where keys were left out, but not otherwise than in truth.
_OPTIONAL = {
    "merchant_sku": "merchantSku",
    "price_minus_bonus": "priceMinusBonus",
    "merchant_rating": "merchantRating",
    "merchant_reviews": "merchantReviewsQuantity",
    "delivery_type": "deliveryType",
    "delivery_duration": "deliveryDuration",
    "title": "title",
}


def _judged(market: Market, database: str, outcome: Outcome) -> Outcome:
    products = _rows(database, _BOARDS)
    stored: dict[str, dict[str, Row]] = {}
    for row in _rows(database, _OFFERS_STORED):
        stored.setdefault(row["kaspi_id"], {})[row["merchant_id"]] = row
    wrong: list[str] = []
    had = set()
    for product in products:
        kaspi_id = product["kaspi_id"]
        truth = market.truth(kaspi_id)
        wrong += _wrong_offers(kaspi_id, stored.get(kaspi_id, {}), truth, product["complete"])
        if outcome.storm.spider == "products":
            wrong += _wrong_card(market, product)
        if _whole(product, outcome.storm.spider):
            had.add(kaspi_id)
    return attrs.evolve(
        outcome,
        had=frozenset(had),
        lost=outcome.lost - had - outcome.named.keys(),
        wrong=tuple(wrong),
        offers=sum(map(len, stored.values())),
    )


def _whole(product: Row, spider: str) -> bool:
    if spider == "offers":
        return bool(product["complete"])
    read = product["card_checked_at"] and product["reviews_checked_at"]
    return bool(product["complete"] and read)


def _wrong_offers(
    kaspi_id: str, stored: Mapping[str, Row], truth: Mapping[str, Row], complete: bool | None
) -> Iterator[str]:
    for merchant, row in stored.items():
        true = truth.get(merchant)
        if true is None:
            yield f"{kaspi_id}: {merchant} is not on the board"
            continue
        pairs = [(name, row[name], true[key]) for name, key in _ESSENTIAL.items()]
        pairs.append(("seller", row["seller"], true["merchant_name"].strip()))
        pairs += [
            (name, row[name], _tidy(true.get(key)))
            for name, key in _OPTIONAL.items()
            if row[name] is not None
        ]
        for name, ours, theirs in pairs:
            if ours != theirs:
                yield f"{kaspi_id}: {name} of {merchant} is {ours!r}, in truth {theirs!r}"
    if complete:
        for merchant in truth.keys() - stored.keys():
            yield f"{kaspi_id}: {merchant} is missing on a board that is called complete"


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _wrong_card(market: Market, product: Row) -> Iterator[str]:
    if product["name"] is None:
        return
    true = market.told(f"/sandbox/state/{product['kaspi_id']}?c={CITY}")["card"]["title"]
    if product["name"] != html.unescape(true).strip():
        yield f"{product['kaspi_id']}: name is {product['name']!r}, in truth {true!r}"


def _rows(database: str, query: str) -> list[Row]:
    with psycopg.connect(database, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


# --- The report --------------------------------------------------------------------------------


def report(outcome: Outcome, console: Console) -> None:
    """Print what became of a crawl."""
    storm, number = outcome.storm, outcome.storm.products
    questions = sum(outcome.asked[kind] for kind in ("page", "offers", "reviews"))
    bad = sum(outcome.given.values())
    table = Table(title=f"{storm.spider}: {number:,} products through the storm", show_header=False)
    lines = {
        "had whole": f"{len(outcome.had):,} of {number:,}",
        "named with a reason": f"{len(outcome.named.keys() - outcome.had):,}",
        "lost silently": f"{len(outcome.lost):,} (must be 0)",
        "wrong values stored": f"{len(outcome.wrong):,} in {outcome.offers:,} offers (must be 0)",
        "bad answers": f"{bad:,} of {questions:,}: {bad / max(1, questions):.1%}",
        "requests a product": f"{questions / number:.2f}, ideal {outcome.ideal / number:.2f}, "
        f"at this weather {outcome.ideal / number / (1 - storm.bad):.2f}",
        "took": f"{outcome.seconds:.1f} s, exit code {outcome.code}",
        "useful throughput": f"{outcome.useful:.1f} products/s of {outcome.theoretical:.1f} "
        f"in theory: {outcome.useful / outcome.theoretical:.0%}",
    }
    for name, figure in lines.items():
        table.add_row(name, figure)
    console.print(table)
    console.print(_exits(outcome))
    console.print(outcome.closing, soft_wrap=True)
    reasons = Counter(re.sub(r"\d{4,}", "…", reason) for reason in outcome.named.values())
    for reason, count in reasons.most_common():
        console.print(f"  named {count} times: {reason}", soft_wrap=True)
    for title, sentences in (("wrong", outcome.wrong), ("lost", sorted(outcome.lost))):
        for sentence in sentences[:8]:
            console.print(f"  {title}: {sentence}", soft_wrap=True)


def _exits(outcome: Outcome) -> Table:
    table = Table(title="The sandbox's own count of each exit")
    for heading in ("exit", "state", "served", "refused", "bad", "most in a second", "over limit"):
        table.add_column(heading)
    for one in outcome.exits:
        profile = one["profile"]
        state = profile["state"] if profile["ban_after"] is None else "banned midway"
        table.add_row(
            one["name"],
            state,
            f"{one['served']:,}",
            f"{one['refused']:,}",
            f"{sum(one['faults'].values()):,}",
            f"{one['most_in_a_second']} of {profile['rate']:g} + {profile['burst']}",
            str(one["over_limit"]),
        )
    return table


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description=__doc__)
    parser.add_argument("spiders", nargs="*", help="default: offers products")
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--quick", action="store_true", help="200 products")
    parser.add_argument("--bad", type=float, default=0.2, help="share of bad answers")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds between two questions")
    parser.add_argument("--lying", type=int, default=0, help="how many exits lie")
    parser.add_argument("--slow", type=int, default=0, help="how many exits are slow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--direct", action="store_true", help="without proxies")
    parser.add_argument("--keep", type=Path, help="a directory in which logs stay")
    return parser.parse_args(words)


def main() -> int:
    """Run the storms; 1 says that something was lost or wrong."""
    chosen = arguments()
    console = Console(width=None if sys.stdout.isatty() else 130)
    held = True
    for spider in chosen.spiders or ("offers", "products"):
        storm = Storm(
            spider=spider,
            products=200 if chosen.quick else chosen.products,
            bad=chosen.bad,
            lying=chosen.lying,
            slow=chosen.slow,
            delay=chosen.delay,
            seed=chosen.seed,
            direct=chosen.direct,
        )
        with tempfile.TemporaryDirectory() as made:
            directory = chosen.keep or Path(made)
            directory.mkdir(parents=True, exist_ok=True)
            with databases(ROOT / ".data" / "benchmarks").fresh() as database:
                outcome = weather(storm, directory, database)
        report(outcome, console)
        held = held and not outcome.lost and not outcome.wrong
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
