"""A crawl through a storm: exits that die or are banned, a fifth of all answers bad in some way.

What is had is right to the last value, and what is not had is named with its reason.
"""

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from benchmarks.storm import Outcome, Storm, weather
from tests.crawl.conftest import Opener


@pytest.fixture
def through(open_workplace: Opener, tmp_path: Path) -> Callable[[Storm], Outcome]:
    """Sends a crawl with an empty memory through a storm."""

    def sent(storm: Storm) -> Outcome:
        return weather(storm, tmp_path, open_workplace().database)

    return sent


@pytest.mark.parametrize(
    "storm",
    [
        pytest.param(Storm(spider="offers", products=60, exits=4, dead=1), id="offers"),
        pytest.param(
            Storm(spider="products", products=24, exits=5, dead=1, lying=1, slow=1),
            id="products, with an exit that lies and one that is slow",
        ),
    ],
)
def test_nothing_is_lost_and_nothing_is_wrong(
    through: Callable[[Storm], Outcome], storm: Storm
) -> None:
    outcome = through(attrs.evolve(storm, delay=0.02))
    assert outcome.code == 0, outcome.closing
    assert outcome.lost == frozenset()
    assert list(outcome.wrong) == []
    assert len(outcome.had) >= 0.9 * storm.products
    assert outcome.offers > 500
    assert sum(outcome.given.values()) > 10
    # The dead exit never answered, the banned one stopped midway, no other asked too fast.
    dead, banned, *others = outcome.exits
    assert dead["served"] == 0
    assert banned["refused"] > 0
    assert [one["over_limit"] for one in others] == [0] * len(others)
