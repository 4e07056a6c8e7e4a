"""Export: a line for each reading, a name for whole files only."""

import fcntl
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from scrapy.utils.test import get_crawler

from domain.readings import Finding
from domain.run import Run
from kaspi_crawler.spiders.offers import OffersSpider
from pipelines.export import Export, finish_abandoned
from pipelines.lines import SCHEMA_VERSION, line_of
from storage.files import encode
from tests.building import (
    ALMATY,
    ASTANA,
    KETTLE,
    board,
    card,
    incomplete,
    missing,
    offer,
    refresh,
    reviews,
)
from tests.discoveries import category, listed, listing, review, sitemap, texts, tree, variants
from tests.goods import STORE, article, page, point, whole

NAME = "20260918T070000Z-1b9d6bcd"


def written(reading: Finding) -> dict[str, Any]:
    """The line as its reader finds it."""
    line: dict[str, Any] = json.loads(encode(line_of(reading)))
    return line


@pytest.mark.parametrize(
    ("reading", "kind"),
    [
        pytest.param(refresh(), "product", id="a product"),
        pytest.param(board(offer()), "board", id="a board"),
        pytest.param(reviews(), "reviews", id="reviews"),
        pytest.param(missing(), "missing", id="no such product"),
    ],
)
def test_every_line_says_what_it_is(reading: Finding, kind: str) -> None:
    line = written(reading)
    assert list(line)[:3] == ["schema_version", "kind", "kaspi_id"]
    assert (line["schema_version"], line["kind"], line["kaspi_id"]) == (
        SCHEMA_VERSION,
        kind,
        KETTLE,
    )


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        pytest.param(listing(listed()), "listing", id="a page of a listing"),
        pytest.param(variants(KETTLE), "variants", id="variants"),
        pytest.param(tree(category()), "categories", id="a tree"),
        pytest.param(sitemap("kettles"), "sitemap", id="a sitemap"),
        pytest.param(texts(review(1)), "review_texts", id="reviews"),
    ],
)
def test_a_discovery_is_a_line_as_well(found: Finding, kind: str) -> None:
    line = written(found)
    assert list(line)[:2] == ["schema_version", "kind"]
    assert line["kind"] == kind
    assert line["checked_at"].startswith("2026-09-18")


def test_a_line_of_a_listing_names_it_and_its_cards() -> None:
    line = written(listing(listed(place=3)))
    assert (line["listing"], line["query"], line["city_id"]) == ("category", "Kettles", ALMATY)
    (card,) = line["cards"]
    assert (card["card_id"], card["place"], card["rating"]) == (KETTLE, 3, 4.88)


def test_a_product_has_the_names_of_the_table() -> None:
    line = written(refresh(board(offer("1", 900), offer("2", 1_100))))
    expected = {
        "kaspi_id": KETTLE,
        "name": card().name,
        "description": card().description,
        "category": "Чайники",
        "image_url": list(card().image_urls),
        "min_price": 900,
        "max_price": 1_100,
        "seller_amount": 2,
        "rate": 4.7,
        "review_amount": 8,
        "rating_amount": 20,
        "home_city_id": ALMATY,
    }
    assert {name: line[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("reading", "figures"),
    [
        pytest.param(
            refresh(board(offer("1", 900)), board(offer("2", 5), city=ASTANA)),
            (900, 900, 1),
            id="of the home city alone",
        ),
        pytest.param(refresh(board()), (None, None, 0), id="nobody sells it"),
        pytest.param(
            refresh(board(offer(), city=ASTANA)), (None, None, None), id="home was not read"
        ),
    ],
)
def test_a_products_figures_are(
    reading: Finding, figures: tuple[int | None, int | None, int | None]
) -> None:
    line = written(reading)
    assert (line["min_price"], line["max_price"], line["seller_amount"]) == figures


def test_a_product_without_reviews_says_so() -> None:
    line = written(refresh(reviews=None))
    assert (line["rate"], line["review_amount"], line["rating_amount"]) == (None, None, None)


def test_a_board_says_whether_it_is_whole() -> None:
    line = written(incomplete(offer("1", 900), total=3))
    assert (line["complete"], line["total"], len(line["offers"])) == (False, 3, 1)
    assert line["seller_amount"] is None  # as in the tables: only a whole board has figures
    assert line["city_id"] == ALMATY


def test_offers_keep_what_is_absent_apart_from_zero() -> None:
    (told,) = written(board(offer(merchant_rating=None, preorder_days=0, discount_percent=None)))[
        "offers"
    ]
    assert (told["merchant_rating"], told["preorder_days"], told["discount_percent"]) == (
        None,
        0,
        None,
    )


def test_moments_are_iso_in_utc_and_ratings_numbers() -> None:
    (told,) = written(board(offer(merchant_rating=Decimal("4.8"))))["offers"]
    assert told["merchant_rating"] == 4.8
    assert written(board())["checked_at"] == "2026-09-18T07:00:00Z"


# --- The stage and its file ----------------------------------------------------------------------


def stage(exports: Path) -> Export:
    """The stage of a crawl that began at START; `latest` is another test's business."""
    crawler = get_crawler(
        OffersSpider,
        {
            "EXPORTS_DIR": str(exports),
            "LATEST_EXPORTS": False,
            "KASPI_URL": "http://127.0.0.1:9",
        },
    )
    spider = OffersSpider.from_crawler(crawler, products=KETTLE)
    spider.run = Run(
        id=UUID("1b9d6bcd-0000-4000-8000-000000000000"),
        spider="offers",
        arguments={},
        site="http://127.0.0.1:9",
        started_at=datetime(2026, 9, 18, 7, tzinfo=UTC),
    )
    crawler.spider = spider
    return Export.from_crawler(crawler)


def names(exports: Path) -> list[str]:
    return sorted(path.name for path in (exports / "offers").iterdir())


async def test_the_file_has_its_name_only_when_the_crawl_has_ended(tmp_path: Path) -> None:
    export = stage(tmp_path)
    export.open_spider()
    assert names(tmp_path) == [f"{NAME}.jsonl.partial"]
    reading = board(offer())
    assert export.process_item(reading) is reading
    export.process_item(reviews())
    assert names(tmp_path) == [f"{NAME}.jsonl.partial"]
    await export.close_spider()
    assert names(tmp_path) == [f"{NAME}.jsonl"]
    lines = (tmp_path / "offers" / f"{NAME}.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["board", "reviews"]


async def test_while_it_is_written_nobody_takes_it_for_abandoned(tmp_path: Path) -> None:
    export = stage(tmp_path)
    export.open_spider()
    finish_abandoned(tmp_path / "offers")
    assert names(tmp_path) == [f"{NAME}.jsonl.partial"]
    await export.close_spider()


async def test_without_a_place_for_it_readings_go_on(tmp_path: Path) -> None:
    (tmp_path / "offers").write_text("not a directory", encoding="utf-8")
    export = stage(tmp_path)
    export.open_spider()
    reading = board(offer())
    assert export.process_item(reading) is reading
    await export.close_spider()
    assert (tmp_path / "offers").read_text(encoding="utf-8") == "not a directory"


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        pytest.param(b'{"a":1}\n{"b":2}\n', b'{"a":1}\n{"b":2}\n', id="whole lines stay"),
        pytest.param(b'{"a":1}\n{"b":', b'{"a":1}\n', id="half a line goes"),
        pytest.param(b'{"a":', b"", id="half of the first line goes"),
        pytest.param(b"", b"", id="nothing stays nothing"),
        pytest.param(
            b'{"a":1}\n' + b"x" * 200_000, b'{"a":1}\n', id="half a line that is very long goes"
        ),
        pytest.param(
            b"y" * 65_536 + b"\n" + b"x" * 65_535,
            b"y" * 65_536 + b"\n",
            id="a line's end at the edge of what is read at once",
        ),
    ],
)
def test_an_abandoned_file_is_finished_without_its_last_half_line(
    tmp_path: Path, left: bytes, kept: bytes
) -> None:
    (tmp_path / "run.jsonl.partial").write_bytes(left)
    finish_abandoned(tmp_path)
    assert os.listdir(tmp_path) == ["run-interrupted.jsonl"]  # noqa: PTH208
    assert (tmp_path / "run-interrupted.jsonl").read_bytes() == kept


def test_of_several_those_that_are_still_written_are_left_alone(tmp_path: Path) -> None:
    for name in ("dead", "living"):
        (tmp_path / f"{name}.jsonl.partial").write_bytes(b"{}\n")
    with (tmp_path / "living.jsonl.partial").open("r+b") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        finish_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dead-interrupted.jsonl",
        "living.jsonl.partial",
    ]


def test_a_line_of_our_goods_has_the_points_and_the_prices_that_were_set() -> None:
    line = written(page(article("A1", point(10, stock=None, days=7))))
    assert (line["kind"], line["store"], line["on_sale"], line["page"]) == ("shop", STORE, True, 0)
    [offer] = line["offers"]
    assert offer["city_prices"] == {ASTANA: 9_500}
    assert "prices" not in offer
    assert offer["points"] == [
        {"id": f"{STORE}_PP10", "available": True, "stock": None, "preorder_days": 7}
    ]
    end = written(whole(began=0, minutes=1))
    assert (end["kind"], end["count"]) == ("shop_read", 1)
