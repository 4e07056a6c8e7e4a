"""Quarantine: answers that could not be read are told of and kept, the newest only."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from scrapy.exceptions import DropItem
from scrapy.utils.test import get_crawler

from domain.identity import ProductId
from domain.readings import DriftedAnswer, Source, UnreadAnswer
from pipelines.quarantine import Quarantine
from tests.building import ALMATY, KETTLE, at, board

ANSWER = UnreadAnswer(
    spider="offers",
    kaspi_id=KETTLE,
    city_id=ALMATY,
    address="https://kaspi.kz/yml/offer-view/offers/104500100",
    status=200,
    reason="html_instead_of_json",
    remedy="Pause this address.",
    body="<html>Обновите страницу</html>".encode(),
    checked_at=at(0),
    source=Source.OFFERS,
)
DRIFTED = DriftedAnswer(
    spider="offers",
    source=Source.OFFERS,
    kaspi_id=KETTLE,
    city_id=ALMATY,
    address=ANSWER.address,
    status=200,
    drifts=("unknown offers[].priceWithCard",),
    body=b'{"offers":[]}',
    checked_at=at(0),
)


def quarantine(directory: Path, limit: int = 200) -> Quarantine:
    return Quarantine.from_crawler(
        get_crawler(settings_dict={"DATA_DIR": str(directory), "QUARANTINE_LIMIT": limit})
    )


def keep(stage: Quarantine, **told: Any) -> str:
    """Hand over an answer; what is said of it."""
    with pytest.raises(DropItem) as dropped:
        stage.process_item(attrs.evolve(ANSWER, **told))
    assert dropped.value.log_level == "ERROR"
    return str(dropped.value)


def kept(directory: Path) -> list[Path]:
    return sorted((directory / "quarantine" / "offers").iterdir())


def test_readings_pass(tmp_path: Path) -> None:
    reading = board()
    assert quarantine(tmp_path).process_item(reading) is reading
    assert not (tmp_path / "quarantine").exists()


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        pytest.param(
            {},
            "Product 104500100 in city 750000000 was not read: html_instead_of_json. "
            "Pause this address. (kept as ",
            id="product, city, reason and remedy",
        ),
        pytest.param(
            {"city_id": None},
            "Product 104500100 was not read: html_instead_of_json.",
            id="reviews belong to no city",
        ),
        pytest.param(
            {"kaspi_id": ProductId("category 'A/B', page 3")},
            "Category 'A/B', page 3 in city 750000000 was not read: html_instead_of_json.",
            id="a listing is called by its name",
        ),
    ],
)
def test_an_unread_answer_is_told_in_a_sentence(
    tmp_path: Path, told: dict[str, Any], sentence: str
) -> None:
    assert keep(quarantine(tmp_path), **told).startswith(sentence)


def test_its_bytes_are_kept_as_they_came(tmp_path: Path) -> None:
    sentence = keep(quarantine(tmp_path), body=b"\xff\xfe\x00")
    body, _ = kept(tmp_path)
    assert str(body) in sentence
    assert body.read_bytes() == b"\xff\xfe\x00"


def test_beside_them_stands_what_they_are(tmp_path: Path) -> None:
    keep(quarantine(tmp_path))
    _, description = kept(tmp_path)
    assert json.loads(description.read_text(encoding="utf-8")) == {
        "source": "offers",
        "address": ANSWER.address,
        "status": 200,
        "kaspi_id": KETTLE,
        "city_id": ALMATY,
        "reason": ANSWER.reason,
        "remedy": ANSWER.remedy,
        "checked_at": "2026-09-18T07:00:00+00:00",
    }


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_the_newest_are_kept_and_no_more(tmp_path: Path, limit: int) -> None:
    stage = quarantine(tmp_path, limit)
    for minute in range(5):
        keep(stage, checked_at=at(minute), body=str(minute).encode())
    names = [path for path in kept(tmp_path) if path.suffix == ".body"]
    assert [path.read_text() for path in names] == ["2", "3", "4"][3 - limit :]
    assert len(kept(tmp_path)) == 2 * limit


def test_each_spider_has_a_place_of_its_own(tmp_path: Path) -> None:
    stage = quarantine(tmp_path, limit=1)
    keep(stage)
    keep(stage, spider="reviews")
    assert sorted(path.name for path in (tmp_path / "quarantine").iterdir()) == [
        "offers",
        "reviews",
    ]


def test_a_short_link_is_kept_under_a_name_of_one_file(tmp_path: Path) -> None:
    keep(quarantine(tmp_path), kaspi_id=ProductId("/shp/8fK-2x"))
    assert [path.name.split("Z-")[1] for path in kept(tmp_path)] == [
        "shp-8fK-2x.body",
        "shp-8fK-2x.json",
    ]


def test_when_it_cannot_be_kept_it_is_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("not a directory", encoding="utf-8")
    sentence = keep(quarantine(tmp_path))
    assert sentence.startswith("Product 104500100 in city 750000000 was not read")
    assert "could not be kept" in sentence


def test_unread_answers_are_counted(tmp_path: Path) -> None:
    crawler = get_crawler(settings_dict={"DATA_DIR": str(tmp_path), "QUARANTINE_LIMIT": 1})
    stage = Quarantine.from_crawler(crawler)
    keep(stage)
    keep(stage)
    assert crawler.stats is not None
    assert crawler.stats.get_value("unread") == 2


def test_a_drifted_answer_is_kept_beside_the_unread(tmp_path: Path) -> None:
    stage = quarantine(tmp_path)
    keep(stage)
    with pytest.raises(DropItem) as dropped:
        stage.process_item(DRIFTED)
    assert dropped.value.log_level == "WARNING"
    assert "unknown offers[].priceWithCard" in str(dropped.value)
    assert "offers" in str(dropped.value)
    (kept_one,) = [path for path in kept(tmp_path) if path.name.endswith("-drift.json")]
    assert json.loads(kept_one.read_text(encoding="utf-8"))["drifts"] == [*DRIFTED.drifts]


def test_of_drifted_answers_no_more_than_some_are_kept(tmp_path: Path) -> None:
    stage = quarantine(tmp_path)
    for minute in range(40):
        with pytest.raises(DropItem):
            stage.process_item(attrs.evolve(DRIFTED, checked_at=at(minute)))
    assert len([path for path in kept(tmp_path) if path.suffix == ".body"]) == 20


def test_a_folder_holds_no_more_than_its_bytes(tmp_path: Path) -> None:
    crawler = get_crawler(
        settings_dict={
            "DATA_DIR": str(tmp_path),
            "QUARANTINE_LIMIT": 200,
            "QUARANTINE_BYTES": 250,
            "QUARANTINE_LARGEST": 100,
        }
    )
    stage = Quarantine.from_crawler(crawler)
    for minute in range(5):
        keep(stage, checked_at=at(minute), body=b"x" * 1_000)
    bodies = [path for path in kept(tmp_path) if path.suffix == ".body"]
    assert [path.stat().st_size for path in bodies] == [100, 100]
    told = json.loads(bodies[-1].with_suffix(".json").read_text(encoding="utf-8"))
    assert told["cut"] is True
    assert told["checked_at"] == at(4).isoformat()
