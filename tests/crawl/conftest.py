"""One market for the crawls that only look, and a place to crawl in for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from storage.schema import upgrade
from tests.conftest import address_of, create_database, drop_database
from tests.crawl.counter import Counter, trading
from tests.crawl.crawling import Workplace
from tests.crawl.liar import Liar, lying
from tests.crawl.market import Market, selling

#: Makes a workplace with an empty memory; given a storefront, else the session's market.
Opener = Callable[..., Workplace]


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """Forty products that nobody may move."""
    with selling(tmp_path_factory.mktemp("market")) as market:
        yield market


@pytest.fixture(scope="module")
def own_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """Twenty products for the tests of one module, which may move time."""
    with selling(tmp_path_factory.mktemp("market"), products=20) as market:
        yield market


@pytest.fixture(scope="module")
def liar(market: Market) -> Iterator[Liar]:
    """Stands before the session's market, and lies only when it is told to."""
    with lying(market.address) as liar:
        yield liar


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """The name of a database with the newest tables, to be copied."""
    name = create_database(server)
    upgrade(address_of(server, name))
    yield name
    drop_database(server, name)


@pytest.fixture(scope="module")
def open_workplace(
    server: str, template: str, market: Market, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opener]:
    """Makes workplaces that last as long as the module."""
    made: list[str] = []

    def opened(kaspi_url: str = market.address) -> Workplace:
        made.append(copied(server, template))
        directory: Path = tmp_path_factory.mktemp("workplace")
        return Workplace(
            kaspi_url=kaspi_url, database=address_of(server, made[-1]), directory=directory
        )

    yield opened
    for name in made:
        drop_database(server, name)


@pytest.fixture
def workplace(open_workplace: Opener) -> Workplace:
    """A place to crawl the session's market in, with an empty memory."""
    return open_workplace()


@pytest.fixture(scope="module")
def shop_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market whose busiest merchant is ours."""
    with trading(tmp_path_factory.mktemp("market")) as market:
        yield market


@pytest.fixture
def counter(shop_market: Market, open_workplace: Opener) -> Counter:
    """Our shop when nothing goes wrong, with an empty memory and the right password."""
    counter = Counter(market=shop_market, place=open_workplace(shop_market.address))
    counter.calm()
    counter.keep()
    return counter


def copied(server: str, template: str) -> str:
    """Make a database like the template; its name."""
    name = f"kaspi_crawl_{uuid4().hex}"
    statement = SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.format(Identifier(name), Identifier(template)))
    return name
