"""A real scrapyd runs real jobs, from just those files that come into the image."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import attrs
import psycopg
import pytest

from tests.deployment.image import command_in, copy_into, said

PROJECT = "kaspi_crawler"
CITIES = "750000000,710000000"
PRODUCTS = 4
#: Seconds that a machine with much else to do may need.
PATIENCE = 120.0
#: Who may speak to scrapyd in these tests.
OPERATOR = {"SCRAPYD_USERNAME": "operator", "SCRAPYD_PASSWORD": "a:word/with@signs"}


@attrs.frozen
class Daemon:
    """A running scrapyd, and what its operator does with it."""

    process: subprocess.Popen[bytes]
    home: Path
    environ: dict[str, str]

    def ask(self, path: str, **form: str) -> dict[str, Any]:
        """Ask one of scrapyd's services; a form is posted."""
        address = f"http://127.0.0.1:{self.environ['SCRAPYD_HTTP_PORT']}/{path}"
        request = Request(address, data=urlencode(form).encode() or None)
        if name := self.environ.get("SCRAPYD_USERNAME"):
            word = base64.b64encode(f"{name}:{self.environ['SCRAPYD_PASSWORD']}".encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return dict(json.load(answer))

    def crawl(self, spider: str, **arguments: str) -> str:
        """Schedule a job, wait until scrapyd says that it has finished, and return its id."""
        scheduled = self.ask("schedule.json", project=PROJECT, spider=spider, **arguments)
        job = str(scheduled["jobid"])
        until(lambda: job in self.finished(), f"{spider} has finished")
        return job

    def finished(self) -> list[str]:
        """The ids of the finished jobs."""
        return [job["id"] for job in self.ask("listjobs.json")["finished"]]

    def log(self, spider: str, job: str) -> str:
        """What a job said."""
        path = self.home / ".data/scrapyd/logs" / PROJECT / spider / f"{job}.log"
        return path.read_text(encoding="utf-8")


def until(seen: Callable[[], bool], what: str) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def started(home: Path, **environ: str) -> Iterator[Daemon]:
    """The image's command, run in the image's files, until the block ends."""
    variables = {**environment(), "SCRAPYD_HTTP_PORT": str(free_port()), **environ}
    with (home / "scrapyd.log").open("ab") as log:
        process = subprocess.Popen(
            command_in(said("CMD")[0]), cwd=home, env=variables, stdout=log, stderr=log
        )
    daemon = Daemon(process, home, variables)
    try:
        until(lambda: answers(daemon), "scrapyd answers")
        yield daemon
    finally:
        process.kill()
        process.wait()


def answers(daemon: Daemon) -> bool:
    """Whether scrapyd listens by now."""
    assert daemon.process.poll() is None, (daemon.home / "scrapyd.log").read_text("utf-8")
    try:
        return bool(daemon.ask("daemonstatus.json")["status"] == "ok")
    except HTTPError:
        return True
    except URLError:
        return False


def environment() -> dict[str, str]:
    """The test's own variables, without what would lead to the checkout's code or data."""
    strange = {"PYTHONPATH", "DATA_DIR", "EXPORTS_DIR", "SCRAPY_PROJECT", "SCRAPY_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in strange}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def is_healthy(home: Path, environ: dict[str, str]) -> bool:
    """Whether the image's own health check is content."""
    _python, script = command_in(said("HEALTHCHECK")[0])
    ended = subprocess.run(
        [sys.executable, script], cwd=home, env=environ, capture_output=True, check=False
    )
    return ended.returncode == 0


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox with a few cards."""
    told = tmp_path_factory.mktemp("sandbox") / "address"
    command = [sys.executable, "-m", "sandbox", "--products", str(PRODUCTS)]
    process = subprocess.Popen([*command, "--port-file", str(told)], stdout=subprocess.DEVNULL)
    try:
        until(told.exists, "the sandbox is open")
        yield told.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def products(shop: str) -> list[str]:
    """The ids of all cards of the shop."""
    with urlopen(f"{shop}/sandbox/products", timeout=PATIENCE) as answer:  # noqa: S310
        return [str(product["id"]) for product in json.load(answer)]


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


def test_with_a_password_only_the_operator_is_heard(home: Path) -> None:
    with started(home, **OPERATOR) as daemon:
        stranger = attrs.evolve(
            daemon, environ={"SCRAPYD_HTTP_PORT": daemon.environ["SCRAPYD_HTTP_PORT"]}
        )
        with pytest.raises(HTTPError, match="401"):
            stranger.ask("schedule.json", project=PROJECT, spider="offers")
        assert daemon.ask("daemonstatus.json")["status"] == "ok"


@pytest.mark.parametrize(
    "operator", [pytest.param({}, id="without a password"), pytest.param(OPERATOR, id="with one")]
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
