"""Exits in front of the session's market, and a place to crawl through them."""

from collections.abc import Iterator

import pytest

from tests.crawl.conftest import market, open_workplace, own_market, template, workplace
from tests.transport.forwarding import ForwardProxy, forwarding

__all__ = ["market", "open_workplace", "own_market", "template", "workplace"]


@pytest.fixture
def exits() -> Iterator[list[ForwardProxy]]:
    """Eight honest exits; each test may teach some of them other manners."""
    with forwarding(8) as opened:
        yield opened
