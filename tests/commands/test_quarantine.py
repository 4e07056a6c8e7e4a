"""`scrapy quarantine`: what was set aside is listed, shown, and read again with today's pages."""

import json
from pathlib import Path
from typing import Any

import pytest

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.commands import quarantine
from kaspi_crawler.commands.quarantine import Kept, kept_answers
from tests.pages import building

GOOD = building.offers(building.offer("5001", 8990.0, merchantName="Лавка")).encode()
TOLD: dict[str, Any] = {
    "source": "offers",
    "address": "https://kaspi.kz/yml/offer-view/offers/104500100",
    "status": 200,
    "kaspi_id": building.KETTLE,
    "city_id": building.ALMATY,
    "checked_at": "2026-09-18T07:00:00+00:00",
    "reason": "truncated",
    "remedy": "Ask again.",
}
NAME = "20260918T070000.000000Z-104500100"


def keep(directory: Path, body: bytes, name: str = NAME, **told: object) -> str:
    """Set an answer aside; its name."""
    folder = directory / "offers"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.body").write_bytes(body)
    described = json.dumps({**TOLD, **told})
    (folder / f"{name}.json").write_text(described, encoding="utf-8")
    return f"offers/{name}"


def do(directory: Path, verb: str, *words: str, forget: bool = False) -> int:
    return quarantine._do(verb, words, dict(kept_answers(directory)), forget=forget)


@pytest.mark.parametrize(
    ("body", "told", "end"),
    [
        pytest.param(GOOD, {}, (0, "reads now: 1 of 1 offers, from 8,990 tenge"), id="offers"),
        pytest.param(
            building.whole_page().encode(),
            {"source": "page"},
            (0, "reads now: Чайник Tulpar T-200 белый (state), 8,990 tenge"),
            id="a page",
        ),
        pytest.param(
            b'{"summary":{"global":4.9},"groupSummary":[{"id":"ALL","total":7}]}',
            {"source": "reviews", "city_id": None},
            (0, "reads now: rating 4.9, 7 ratings"),
            id="reviews",
        ),
        pytest.param(b"", {"source": "page", "status": 404}, (0, "not on the site"), id="missing"),
        pytest.param(
            b"<html>", {"status": 403}, (1, "a refusal, no data in it: forbidden"), id="a block"
        ),
        pytest.param(GOOD[:-9], {}, (1, "a refusal, no data in it: truncated"), id="half of it"),
        pytest.param(
            GOOD.replace(b"8990.0", b'"?"'), {}, (1, "still not readable: no price"), id="no price"
        ),
        pytest.param(GOOD, {"source": "nothing"}, (1, "its description is spoilt"), id="no source"),
        pytest.param(
            GOOD, {"checked_at": "today"}, (1, "its description is spoilt"), id="no moment"
        ),
    ],
)
def test_an_answer_is_read_again(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    body: bytes,
    told: dict[str, Any],
    end: tuple[int, str],
) -> None:
    name = keep(tmp_path, body, **told)
    assert do(tmp_path, "replay", name) == end[0]
    assert end[1] in capsys.readouterr().out


def test_answers_of_before_the_source_was_told_are_read_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, GOOD, source=None)
    assert do(tmp_path, "replay", "all") == 0
    assert "1 of 1 answers read now" in capsys.readouterr().out


def test_what_reads_now_is_forgotten_and_the_rest_is_not(tmp_path: Path) -> None:
    keep(tmp_path, GOOD)
    bad = keep(tmp_path, b"{", name="20260918T080000.000000Z-104500100")
    assert do(tmp_path, "replay", "all", forget=True) == 1
    assert [name for name, _ in kept_answers(tmp_path)] == [bad]
    assert len(list((tmp_path / "offers").iterdir())) == 2


def test_without_the_word_nothing_is_forgotten(tmp_path: Path) -> None:
    keep(tmp_path, GOOD)
    assert do(tmp_path, "replay") == 0
    assert len(list(kept_answers(tmp_path))) == 1


def test_the_list_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path, GOOD)
    keep(tmp_path, GOOD, name="2-drift", reason=None, drifts=["unknown offers[].x"])
    assert do(tmp_path, "list") == 0
    told = capsys.readouterr().out
    assert f"offers/{NAME}\toffers\t200\ttruncated\n" in told
    assert "unknown offers[].x" in told


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(NAME, id="by what follows the spider"),
        pytest.param(f"offers/{NAME}", id="by its name"),
        pytest.param(f"/srv/.data/quarantine/offers/{NAME}.body", id="by the path in the log"),
    ],
)
def test_one_is_shown_with_its_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    keep(tmp_path, b"\xff" + GOOD)
    assert do(tmp_path, "show", named) == 0
    told = capsys.readouterr().out
    assert '"reason": "truncated"' in told
    assert "Лавка" in told


@pytest.mark.parametrize(
    "name",
    ["../secret", "offers/../../secret", "/etc/passwd", "secret", "offers", "", "*", "offers/*"],
)
@pytest.mark.parametrize("verb", ["show", "replay"])
def test_a_name_that_is_not_on_the_list_leads_nowhere(tmp_path: Path, verb: str, name: str) -> None:
    directory = tmp_path / "quarantine"
    directory.mkdir()
    keep(directory, GOOD)
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (tmp_path / "secret.body").write_text("secret", encoding="utf-8")
    with pytest.raises(BadArgument, match="quarantine list"):
        do(directory, verb, name)


def test_a_description_that_is_no_json_is_passed_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, GOOD)
    (tmp_path / "offers" / "1.json").write_text("{", encoding="utf-8")
    assert [type(one) for _, one in kept_answers(tmp_path)] == [Kept]
    assert "cannot be read and is passed by" in capsys.readouterr().err


def test_nothing_kept_is_good_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(tmp_path, "list") == 0
    assert "every answer was read" in capsys.readouterr().err
