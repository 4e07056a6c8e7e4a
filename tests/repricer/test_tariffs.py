"""Tariffs: what the tables say, from which day on, and what a rule says instead."""

import csv
from datetime import date
from pathlib import Path

import pytest

from domain.pricing import Rule
from repricer.tariffs import NotATariff, overridden, packaged, read

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded" / "kaspi_merchant"
NEWEST = packaged().versions[-1]

TABLES = {
    "commission": "valid_from\tsection\tcategory\tcommission_bp\n2026-01-01\t\t\t1250\n",
    "delivery": "valid_from\tzone\tprice_up_to\tweight_kg_up_to\tfee\n2026-01-01\tcity\t\t\t100\n",
    "rates": "valid_from\trate\tbp\n"
    "2026-01-01\tpayment\t95\n2026-01-01\ttax\t400\n2026-01-01\tvat\t1600\n",
}


@pytest.mark.parametrize(
    ("category", "bp"),
    [
        pytest.param(None, 1_250, id="a category that is not said pays what nearly all pay"),
        pytest.param("Телефоны и гаджеты / Смартфоны", 1_250, id="so does one of a known section"),
        pytest.param("Смартфоны", 1_550, id="one of no known section pays the dearest"),
        pytest.param("Украшенеия / Кольца", 1_550, id="as does one that is misspelt"),
        pytest.param("Чехлы для смартфонов", 1_550, id="a name alone is enough"),
        pytest.param("чехлы для СМАРТФОНОВ", 1_550, id="however it is written"),
        pytest.param("Украшения / Кольца", 1_550, id="a section speaks for its categories"),
        pytest.param("Аптека > Лекарства > При аллергии", 730, id="a path leads to its end"),
        pytest.param("Аптека", 1_250, id="a section of two rates pays the usual one"),
        pytest.param("Спорт, туризм / Рюкзаки", 1_250, id="another section's category is another"),
    ],
)
def test_the_commission_of(category: str | None, bp: int) -> None:
    assert NEWEST.commission_bp(category) == bp


def test_fees_are_steps_of_price_and_weight_with_vat() -> None:
    begins = (1, 1_000, 3_000, 5_000, 10_000)
    fees = (49, 149, 199, 699, 1_099)
    expected = tuple(zip(begins, (fee * 11_600 for fee in fees), strict=True))
    assert NEWEST.fees("city", 5_000) == expected
    assert NEWEST.fees("city", 5_001)[-1] == (10_000, 1_349 * 11_600)
    assert NEWEST.fees("country", 900_000)[-1] == (10_000, 11_999 * 11_600)
    with pytest.raises(KeyError):
        NEWEST.fees("moon", 1)


def test_what_a_rule_says_goes_before_the_table() -> None:
    by = Rule(commission_bp=700, payment_bp=0, tax_bp=300, delivery_fee=783)
    assert overridden(NEWEST, by) == (1_000, ((1, 7_830_000),))
    assert overridden(NEWEST, Rule())[0] == 1_250 + 95 + 400


def test_a_table_holds_from_its_day_on_and_the_others_go_on() -> None:
    dearer = TABLES["commission"] + "2026-07-01\t\t\t1300\n"
    tariffs = read({**TABLES, "commission": dearer})
    seen = {day: tariffs.on(day) for day in (date(2026, 6, 30), date(2026, 7, 1), None)}
    assert [one and one.commission_bp(None) for one in seen.values()] == [1_250, 1_300, 1_300]
    assert [one and one.tax_bp for one in seen.values()] == [400, 400, 400]
    assert tariffs.on(date(2025, 12, 31)) is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("2026-01-01\ttax\t4,5", "line 5.*'4,5' is not a whole", id="a fraction"),
        pytest.param("01.02.2026\ttax\t400", "line 5.*isoformat", id="a day of another spelling"),
        pytest.param("2026-01-01\ttax", "line 5.*not enough values", id="a cell that is missing"),
    ],
)
def test_a_wrong_line_is_named(line: str, complaint: str) -> None:
    with pytest.raises(NotATariff, match=complaint):
        read({**TABLES, "rates": TABLES["rates"] + line + "\n"})


def test_an_empty_table_is_named() -> None:
    with pytest.raises(NotATariff, match="delivery: no rows"):
        read({**TABLES, "delivery": "# nothing yet\n"})


def rows(name: str) -> list[list[str]]:
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"no recording {path}: the folder `shared` is not beside the project")
    with path.open(encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return list(csv.reader(lines, delimiter="\t"))[1:]


def test_every_recorded_category_pays_what_the_recording_says() -> None:
    wrong = [
        path
        for section, path, _, percent in rows("commission_2026.tsv")
        if NEWEST.commission_bp(f"{section} / {leaf(path)}") != round(float(percent) * 100)
    ]
    assert len(wrong) <= 1, "one name is spelt in two ways there, so its end is not found"


def leaf(path: str) -> str:
    """The last step of a path whose steps are parted by spaces alone: mostly it is said twice."""
    words = path.split()
    for length in range(len(words) // 2, 0, -1):
        if words[-length:] == words[-2 * length : -length]:
            return " ".join(words[-length:])
    return path


def test_fees_are_those_of_the_recording() -> None:
    for zone, price, weight, fee in rows("delivery_fees_2026.tsv"):
        grams = 200_000 if weight == "any" else int(weight or 1) * 1_000
        reached = [
            step for begins, step in NEWEST.fees(zone, grams) if begins <= int(price or 99_999)
        ]
        assert reached[-1] == int(fee) * 11_600
