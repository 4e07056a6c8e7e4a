"""A sandbox for the session, a memory for each test, and the spider `publish` as a process."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crawl.crawling import Ended, Workplace
from tests.publish.shop import Shop, serving

#: Runs the spider to its end, with settings.
Publisher = Callable[..., Ended]
#: No pauses: the sandbox's time stands still until it is told to move.
AT_ONCE: dict[str, object] = {
    "PUBLISH_LOOK": 0.1,
    "PUBLISH_GAP": 0.001,
    "PUBLISH_REST": 0.2,
    "PUBLISH_LINGER": 10,
    "PUBLISH_FIRST_LOOK": 3600,
}


@pytest.fixture(scope="session")
def sandbox_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("shop")) as address:
        yield address


@pytest.fixture
def shop(sandbox_address: str, database: str) -> Shop:
    """The store, calm and with an empty memory."""
    shop = Shop(sandbox_address, database)
    shop.switch()
    shop.ask("faults", {})
    return shop


@pytest.fixture
def workplace(shop: Shop, tmp_path: Path) -> Workplace:
    return Workplace(kaspi_url=shop.address, database=shop.database, directory=tmp_path)


@pytest.fixture
def publish(workplace: Workplace) -> Publisher:
    """Run `scrapy crawl publish` once."""

    def run(how: str = "cabinet", share: int = 100, **settings: object) -> Ended:
        return workplace.crawl(
            "publish",
            settings=AT_ONCE | settings,
            environment={**SIGNED, "PUBLISH": how, "PUBLISH_SHARE": str(share)},
        )

    return run


SIGNED = {
    "SCRAPY_SETTINGS_MODULE": "tests.publish.settings",
    "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[2])]),
}
