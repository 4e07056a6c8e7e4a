"""From a rival's change on a board to the stored intention, while a crawl runs at full speed."""

from collections.abc import Sequence

import psycopg

from benchmarks.boards import OURS, product_ids
from benchmarks.crawl import Report
from benchmarks.measure import Line, ratio
from benchmarks.place import Crawls, empty
from domain.identity import MerchantId, ProductId
from domain.shop import RuleLine
from storage import rules

_DELAYS = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY delay), max(delay), count(*)
FROM (
    SELECT extract(milliseconds FROM intentions.made_at - decisions.board_at)
               + 60000 * extract(minute FROM intentions.made_at - decisions.board_at) AS delay
    FROM intentions JOIN decisions ON decisions.id = intentions.decision_id
    WHERE decisions.board_at > %s
) AS waited
"""


def intentions(crawls: Crawls, boards: int, repeats: int) -> list[Line]:
    """The offers crawl with a listing of ours on every board, against the same without."""
    pairs: list[tuple[Report, Report]] = []
    delays: list[tuple[float, float, int]] = []
    for _ in range(repeats):
        empty(crawls.database)
        crawls.server.sweep(100, boards)
        crawls.boards("offers", boards)
        crawls.server.sweep(20, boards)
        without = crawls.boards("offers", boards)
        _list_ours(crawls.database, product_ids(boards))
        began = _now(crawls.database)
        crawls.server.sweep(20, boards)
        pairs.append((crawls.boards("offers", boards), without))
        delays.append(_delays(crawls.database, began))
    rates = [
        [report.responses / report.seconds for report in side] for side in zip(*pairs, strict=True)
    ]
    cpu = [[report.responses / report.cpu for report in side] for side in zip(*pairs, strict=True)]
    middle, longest, count = max(delays)
    return [
        Line.of_rates(
            "a listing of ours on every board ÷ on none",
            "20 % of boards changed",
            *rates,
            unit="boards/s",
            remark=f"by CPU time {ratio(*cpu):.2f}",
        ),
        Line(
            section="from the board that was read to the stored intention (goal: 1 s)",
            name=f"{count:,} intentions",
            ours=f"{middle:,.0f} ms",
            ratio=1_000 / longest,
            goal=1.0,
            remark=f"longest {longest:,.0f} ms",
        ),
    ]


def _list_ours(database: str, products: Sequence[str]) -> None:
    """A listing of one merchant of each board, by one rule for all."""
    lines = (
        RuleLine(
            store=MerchantId(OURS),
            sku=product,
            said={"cost": 5_000, "margin": 1, "ceiling": 900_000},
            kaspi_id=ProductId(product),
        )
        for product in products
    )
    rules.apply(database, lines, "the benchmark")


def _now(database: str) -> object:
    with psycopg.connect(database) as connection:
        return (connection.execute("SELECT now()").fetchone() or (None,))[0]


def _delays(database: str, since: object) -> tuple[float, float, int]:
    with psycopg.connect(database) as connection:
        middle, longest, count = connection.execute(_DELAYS, [since]).fetchone() or (0, 0, 0)
    return float(middle or 0), float(longest or 0), int(count)
