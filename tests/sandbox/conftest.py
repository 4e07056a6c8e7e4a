"""One small market for the tests that only look, and a maker for those that move it."""

from datetime import UTC, datetime

import pytest

from sandbox.world import World, world

#: Noon in Almaty.
START = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
#: A real moment that has nothing to do with the sandbox's.
REAL = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def still() -> World:
    """A market of 40 cards that nobody may move."""
    return world(seed=7, products=40, start=START, real_clock=lambda: REAL)


@pytest.fixture
def market() -> World:
    """A market of 12 cards of one's own."""
    return world(seed=7, products=12, start=START, real_clock=lambda: REAL)
