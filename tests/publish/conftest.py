"""A sandbox for the session, a memory for each test, and the spider `publish` as a process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from kaspi_crawler.cabinet.doors import told
from partners.kaspi.cabinet_login import Account
from storage import accounts
from tests.crawl.crawling import Ended, Workplace
from tests.publish.shop import Shop, serving
from tests.publish.signing import EMAIL, PASSWORD

#: Runs the spider to its end, with settings.
Publisher = Callable[..., Ended]
KEY = Fernet.generate_key().decode()
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
def publish(workplace: Workplace, shop: Shop) -> Publisher:
    """Run `scrapy crawl publish` once; the store's account is kept."""
    account = told(Account(email=EMAIL, password=PASSWORD))
    accounts.add(shop.database, shop.store, account, KEY)

    def run(how: str = "cabinet", share: int = 100, **settings: object) -> Ended:
        return workplace.crawl(
            "publish",
            settings=AT_ONCE | settings,
            environment=environment(workplace, how, share),
        )

    return run


def environment(workplace: Workplace, how: str = "cabinet", share: int = 100) -> dict[str, str]:
    """What a crawl's environment says of the cabinet."""
    return {
        "PUBLISH": how,
        "PUBLISH_SHARE": str(share),
        "KASPI_SECRET_KEY": KEY,
        "MC_URL": f"{workplace.kaspi_url}/mc.shop",
        "IDMC_URL": f"{workplace.kaspi_url}/idmc.shop",
    }
