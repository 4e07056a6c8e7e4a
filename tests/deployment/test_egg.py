"""The egg: what is in it, and that a scrapyd runs it where there is no checkout."""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import pytest

from tests.conftest import address_of, create_database, drop_database
from tests.deployment.daemon import OPERATOR, PROJECT, Daemon, rows, started, until
from tests.deployment.image import ROOT
from tests.deployment.test_image import rooms

#: Whole numbers: scrapyd files 1.10 as 1_10, which sorts before 1_9.
OLDER, NEWER = "9", "10"
SPIDERS = {"listing", "offers", "price_feed", "products", "publish", "reviews", "shop"}
#: Half a minute for all boards, so that a busy machine, too, meets the job in the middle.
SLOWLY = "DOWNLOAD_DELAY=1"


@pytest.fixture(scope="module")
def egg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What `make egg` packs, from a copy of the tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in [*rooms(), "tests", "tools"]:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "requirements.in", "README.md", "scrapy.cfg"):
        shutil.copy2(ROOT / name, tree / name)
    (tree / ".env").write_text("SCRAPYD_PASSWORD=secret", encoding="utf-8")
    (tree / ".data").mkdir()
    (tree / ".data/password").write_text("secret", encoding="utf-8")
    command = [sys.executable, "setup.py", "-q", "clean", "--all", "bdist_egg", "-d", "dist"]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    (packed,) = (tree / "dist").glob("*.egg")
    return packed.read_bytes()


@pytest.fixture(scope="module")
def newer(egg: bytes) -> bytes:
    """The same code, but its log is seen to be another version's."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(egg)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "kaspi_crawler/settings.py":
                content += b'\nLOG_FORMAT = "newer %(levelname)s %(name)s: %(message)s"\n'
            new.writestr(name, content)
    return changed.getvalue()


def names(egg: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(egg)) as packed:
        return packed.namelist()


def test_all_modules_of_the_rooms_are_in_it_and_nothing_else(egg: bytes) -> None:
    packed = {name for name in names(egg) if not name.startswith("EGG-INFO/")}
    wanted = {
        str(path.relative_to(ROOT))
        for room in rooms()
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in packed if not name.endswith(".pyc")} == wanted


def test_no_test_and_no_secret_is_in_it(egg: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(egg)) as packed:
        for name in packed.namelist():
            assert not name.startswith(("tests", "tools", ".")), name
            assert b"SCRAPYD_PASSWORD=secret" not in packed.read(name), name


def test_it_says_where_its_settings_are(egg: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(egg)) as packed:
        said = packed.read("EGG-INFO/entry_points.txt").decode()
    assert "[scrapy]\nsettings = kaspi_crawler.settings" in said


# --- A scrapyd without a checkout ----------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(server: str) -> Iterator[str]:
    """The address of a database where the egg has to make the tables itself."""
    name = create_database(server)
    yield address_of(server, name)
    drop_database(server, name)


@pytest.fixture(scope="module")
def daemon(
    tmp_path_factory: pytest.TempPathFactory, shop: str, tables: str, egg: bytes
) -> Iterator[Daemon]:
    """A scrapyd with our scrapyd.conf in an otherwise empty directory, with the older egg."""
    home = tmp_path_factory.mktemp("node")
    shutil.copy2(ROOT / "scrapyd.conf", home)
    command = ["scrapyd", "--pidfile="]
    with started(home, command, KASPI_URL=shop, DATABASE_URL=tables, **OPERATOR) as daemon:
        added = daemon.upload(OLDER, egg)
        assert (added["status"], added["spiders"]) == ("ok", len(SPIDERS)), added
        yield daemon


def ran(tables: str, job: str) -> tuple[str, str, dict[str, str]]:
    """Spider, close reason and arguments of the run of a job."""
    ((spider, reason, arguments),) = rows(
        tables, "SELECT spider, close_reason, arguments FROM runs WHERE job_id = %s", job
    )
    return spider, reason, arguments


def test_its_spiders_are_listed(daemon: Daemon) -> None:
    listed = daemon.ask(f"listspiders.json?project={PROJECT}&_version={OLDER}")["spiders"]
    assert set(listed) == SPIDERS


def test_a_job_makes_the_tables_takes_arguments_and_settings_and_writes_where_scrapyd_stands(
    daemon: Daemon, tables: str, products: list[str]
) -> None:
    told = {"products": products[0], "cities": "710000000"}
    job = daemon.crawl("products", **told, setting="EXPORTS_DIR=elsewhere")
    assert "Traceback" not in daemon.log("products", job)
    assert ran(tables, job) == ("products", "finished", told)
    assert len(list((daemon.home / "elsewhere/products").glob("*.jsonl"))) == 1
    assert list((daemon.home / ".data/logs/products").glob("*.jsonl"))
    assert not (daemon.home / "exports").exists()


def test_a_cancelled_job_keeps_what_was_read_and_has_its_end(
    daemon: Daemon, tables: str, products: list[str]
) -> None:
    before = boards(tables)
    cities = "750000000,511010000,351010000,471010000,551010000,632810000,431010000,591010000"
    scheduled = daemon.ask(
        "schedule.json", project=PROJECT, spider="offers", jobid="slow", cities=cities,
        products=",".join(products), setting=SLOWLY,
    )  # fmt: skip
    assert scheduled["jobid"] == "slow"
    until(lambda: boards(tables) > before + 2, "some boards are stored")
    assert daemon.ask("cancel.json", project=PROJECT, job="slow")["prevstate"] == "running"
    until(lambda: "slow" in daemon.finished(), "the job has ended")
    assert ran(tables, "slow")[1] == "shutdown"
    (export,) = (daemon.home / "exports/offers").glob("*.jsonl")
    exported = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    assert 2 < len(exported) == boards(tables) - before < len(products) * len(cities.split(","))


def boards(tables: str) -> int:
    """How many boards are stored."""
    ((count,),) = rows(tables, "SELECT count(*) FROM boards")
    return int(count)


def test_a_newer_egg_is_run_and_the_older_one_comes_back(
    daemon: Daemon, tables: str, products: list[str], newer: bytes
) -> None:
    assert daemon.upload(NEWER, newer)["status"] == "ok"
    assert daemon.ask(f"listversions.json?project={PROJECT}")["versions"] == [OLDER, NEWER]

    def version_of(**chosen: str) -> str:
        job = daemon.crawl("reviews", products=products[0], **chosen)
        assert ran(tables, job)[1] == "finished"
        return NEWER if "newer INFO" in daemon.log("reviews", job) else OLDER

    assert version_of() == NEWER
    assert version_of(_version=OLDER) == OLDER
    daemon.ask("delversion.json", project=PROJECT, version=NEWER)
    assert daemon.ask(f"listversions.json?project={PROJECT}")["versions"] == [OLDER]
    assert version_of() == OLDER
