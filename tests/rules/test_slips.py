"""Slips of a hand that a table must not take for wishes."""

import pytest

from kaspi_crawler.rules.cells import Wrong, merchants
from kaspi_crawler.rules.windows import read_windows


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("Kok Home 116", id="a shop's name"),
        pytest.param("11271005, Kok Home", id="a name among ids"),
    ],
)
def test_a_name_is_no_list_of_ids(said: str) -> None:
    with pytest.raises(Wrong):
        merchants(said)


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        pytest.param("11271005 30000009", ["11271005", "30000009"], id="numbers by blanks"),
        pytest.param("Satel, 30000009", ["Satel", "30000009"], id="a word that is an id"),
    ],
)
def test_ids_are_read(said: str, ids: list[str]) -> None:
    assert merchants(said) == ids


def test_an_hour_that_is_none_is_no_day() -> None:
    assert read_windows("25-3 hold") is None
