"""Real days replayed: how a recording is read, and what is said where there is none."""

import gzip
import sys
from pathlib import Path

import pytest

from benchmarks import recorded_days
from domain.pricing import Strategy

FIRST = "ts,masterSku,title,brand,categoryLeaf,city,cityName,price,priceBeforeDiscount,discount\n"
CHANGES = "ts,masterSku,city,field,old,new\n"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Eight hours of one card whose price falls, goes away and comes back; one that stands."""
    first = FIRST + "".join(
        f"2026-08-15T18:00:00Z,{card},Чайник,,Чайники,750000000,Алматы,10000,10000,0\n"
        for card in ("1", "2")
    )
    told = [
        *(f"2026-08-15T{19 + hour}:00:00Z,1,750000000,price,,{9_900 - hour}" for hour in range(4)),
        "2026-08-15T23:00:00Z,1,750000000,disappear,9897,",
        "2026-08-16T01:00:00Z,1,750000000,appear,,9500",
        "2026-08-16T02:00:00Z,1,750000000,discount,0,14",
    ]
    (tmp_path / "first_snapshot.csv.gz").write_bytes(gzip.compress(first.encode()))
    changes = CHANGES + "\n".join(told) + "\n"
    (tmp_path / "changes.csv.gz").write_bytes(gzip.compress(changes.encode()))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["recorded_days", *words])
    return recorded_days.main()


def test_the_days_are_replayed_without_a_price_that_is_not_allowed(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(recording)) == 0
    told = capsys.readouterr().out
    assert "1 of 2 listings" in told
    assert "What could not be known" in told


def test_hours_without_a_price_do_not_count(recording: Path) -> None:
    days = recorded_days.read(recording)
    (key,) = recorded_days.lively(days, None)
    outcomes = recorded_days.tried(days, key, 6_500)
    assert outcomes is not None
    assert {outcome.seconds for outcome in outcomes} == {6 * 3_600}
    assert [outcome.name for outcome in outcomes] == ["real", *Strategy]
    assert all(outcome.outside == 0 for outcome in outcomes[1:])
    assert outcomes[0].gains == (0,) * 5


def test_where_nothing_was_recorded_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(tmp_path)) == 0
    assert "no recorded days in" in capsys.readouterr().out
