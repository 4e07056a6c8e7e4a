"""A real scrapyd runs real jobs, from just those files that come into the image."""

import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError

import attrs
import pytest

from tests.deployment.daemon import OPERATOR, PROJECT, environment, rows, started
from tests.deployment.image import command_in, copy_into, said

CITIES = "750000000,710000000"


def is_healthy(home: Path, environ: dict[str, str]) -> bool:
    """Whether the image's own health check is content."""
    _python, script = command_in(said("HEALTHCHECK")[0])
    ended = subprocess.run(
        [sys.executable, script], cwd=home, env=environ, capture_output=True, check=False
    )
    return ended.returncode == 0


@pytest.fixture
def home(tmp_path: Path, shop: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The image's files; `database` is DATABASE_URL, the sandbox KASPI_URL."""
    copy_into(tmp_path)
    monkeypatch.setenv("KASPI_URL", shop)
    for name in OPERATOR:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_scheduled_job_reads_the_shop_and_is_remembered(
    home: Path, database: str, products: list[str]
) -> None:
    with started(home) as daemon:
        assert PROJECT in daemon.ask("listprojects.json")["projects"]
        spiders = daemon.ask(f"listspiders.json?project={PROJECT}")["spiders"]
        assert {"offers", "products", "reviews"} <= set(spiders)
        job = daemon.crawl("offers", products=",".join(products), cities=CITIES)
        assert "Traceback" not in daemon.log("offers", job)
    read = {(str(product), str(city)) for product, city in rows(database, _BOARDS)}
    assert read == {(product, city) for product in products for city in CITIES.split(",")}
    ((held, counted),) = rows(database, _OFFERS)
    assert held == counted > 0
    assert rows(database, "SELECT spider FROM runs") == [("offers",)]
    assert len(list((home / "exports/offers").glob("*.jsonl"))) == 1


def test_a_killed_scrapyd_starts_again_and_knows_what_it_did(
    home: Path, products: list[str]
) -> None:
    with started(home) as daemon:
        job = daemon.crawl("offers", products=products[0])
    with started(home) as daemon:
        assert daemon.finished() == [job]


def test_a_wrong_argument_is_told_in_the_log_and_nothing_is_read(home: Path, database: str) -> None:
    with started(home) as daemon:
        daemon.crawl("offers", products="nonsense")
    said_so = (home / "scrapyd.log").read_text(encoding="utf-8")
    assert "nonsense" in said_so
    assert "Traceback" not in said_so
    assert rows(database, "SELECT spider FROM runs") == []


@pytest.mark.parametrize(
    "operator",
    [pytest.param({}, id="with a password that was made"), pytest.param(OPERATOR, id="with one")],
)
def test_only_the_operator_is_heard(home: Path, operator: dict[str, str]) -> None:
    with started(home, **operator) as daemon:
        port = daemon.environ["SCRAPYD_HTTP_PORT"]
        stranger = attrs.evolve(
            daemon, home=home / "elsewhere", environ={"SCRAPYD_HTTP_PORT": port}
        )
        with pytest.raises(HTTPError, match="401"):
            stranger.ask("schedule.json", project=PROJECT, spider="offers")
        assert daemon.ask("daemonstatus.json")["status"] == "ok"


@pytest.mark.parametrize(
    "operator",
    [pytest.param({}, id="with a password that was made"), pytest.param(OPERATOR, id="with one")],
)
def test_the_health_check_tells_a_running_scrapyd_from_a_dead_one(
    home: Path, operator: dict[str, str]
) -> None:
    with started(home, **operator) as daemon:
        assert is_healthy(home, daemon.environ)
        daemon.process.kill()
        daemon.process.wait()
        assert not is_healthy(home, daemon.environ)


def test_a_crawl_can_be_the_containers_command(
    home: Path, database: str, products: list[str]
) -> None:
    command = ["scrapy", "crawl", "products", "-a", f"products={products[0]}"]
    ended = subprocess.run(
        command, cwd=home, env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert [str(found) for (found,) in rows(database, "SELECT kaspi_id FROM products")] == [
        products[0]
    ]


_BOARDS = """
SELECT products.kaspi_id, boards.city_id FROM boards JOIN products ON products.id = product_id
"""
#: How many offers stand, and how many the boards say there are.
_OFFERS = """
SELECT (SELECT count(*) FROM offers WHERE gone_at IS NULL),
       (SELECT sum(seller_amount) FROM boards)
"""
