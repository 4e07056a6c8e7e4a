"""The files for Docker keep the house's promises; no engine is needed to see it."""

import re
import tomllib
from configparser import ConfigParser

import pytest

from tests.deployment.image import ROOT, command_in, instructions, let_in, said

COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
#: Everything of value that a checkout may hold beside the code.
SECRETS = [".env", ".data", ".git", ".venv", "exports", "tests"]


def rooms() -> list[str]:
    """The rooms of the house, as its layers list them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["tool"]["importlinter"]["root_packages"])


@pytest.mark.parametrize("room", rooms())
def test_every_room_comes_into_the_image(room: str) -> None:
    assert room in let_in()


@pytest.mark.parametrize("name", ["scrapy.cfg", "scrapyd.conf", "requirements.txt"])
def test_what_the_rooms_stand_on_comes_too(name: str) -> None:
    assert name in let_in()
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_a_persons_own_stays_outside(name: str) -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert not [path for path in let_in() if path.split("/")[0] == name]


def test_the_base_is_pinned_to_one_version() -> None:
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", said("FROM")[0])


def test_packages_are_verified_and_come_in_a_layer_before_the_code() -> None:
    order = [f"{word} {rest}" for word, rest in instructions()]
    packages = next(number for number, line in enumerate(order) if "pip install" in line)
    assert "--require-hashes --requirement requirements.txt" in order[packages]
    assert order[:packages].count("COPY requirements.txt ./") == 1
    assert "COPY . ./" in order[packages:]


def test_nothing_runs_as_root() -> None:
    made = re.search(r"useradd --uid (\d+)", " ".join(said("RUN")))
    assert made
    words = [word for word, _ in instructions()]
    assert said("USER") == [f"{made[1]}:{made[1]}"]
    assert "RUN" not in words[words.index("USER") :]


def test_what_the_crawler_writes_is_a_volume_of_its_own() -> None:
    home = said("WORKDIR")[0]
    assert command_in(said("VOLUME")[0]) == [f"{home}/.data", f"{home}/exports"]
    for path in command_in(said("VOLUME")[0]):
        assert path in COMPOSE


def test_the_image_runs_scrapyd_with_a_password() -> None:
    assert command_in(said("CMD")[0]) == ["scrapy", "daemon"]
    assert not said("ENTRYPOINT")


def test_the_health_check_is_in_the_image() -> None:
    program, script = command_in(said("HEALTHCHECK")[0])
    assert program == "python"
    assert script in let_in()


@pytest.mark.parametrize(
    "name", ["POSTGRES_PASSWORD", "PGPASSWORD", "SCRAPYD_USERNAME", "SCRAPYD_PASSWORD"]
)
def test_a_secret_has_no_default(name: str) -> None:
    values = re.findall(rf"^\s*{name}: (.*)$", COMPOSE, re.MULTILINE)
    assert values
    assert all(re.fullmatch(r"\$\{[A-Z_]+:\?[\w ]+\}", value) for value in values)


def test_every_published_port_is_for_this_machine_alone() -> None:
    ports = re.findall(r"^\s*- '?(\S*:\d+)'?$", COMPOSE, re.MULTILINE)
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_timetable_speaks_to_the_crawler_s_scrapyd() -> None:
    service = COMPOSE[COMPOSE.index("\n  timetable:") : COMPOSE.index("\nvolumes:")]
    assert "command: [scrapy, timetable, run]" in service
    assert "SCRAPYD_URL: http://crawler:6800" in service
    for name in ("DATABASE_URL", "PGPASSWORD", "KASPI_URL", "SCRAPYD_USERNAME", "SCRAPYD_PASSWORD"):
        assert re.search(rf"^      {name}: ", service, re.MULTILINE), name


def test_the_service_that_hands_feeds_out_sees_nothing_else() -> None:
    service = COMPOSE[COMPOSE.index("\n  feeds:") : COMPOSE.index("\nvolumes:")]
    assert 'command: [scrapy, feed, serve, --host, 0.0.0.0, --port, "8090"]' in service
    assert re.findall(r"- (\w+):/srv/", service) == ["feeds"]
    assert not re.search(r"DATABASE_URL|PGPASSWORD|SCRAPYD|SECRET", service)
    assert "feeds:/srv/kaspi-crawler/.data/feeds" in COMPOSE[: COMPOSE.index("\n  timetable:")]
    assert ".data/feeds" in " ".join(said("RUN"))


def test_scrapyd_is_for_this_machine_alone_unless_told() -> None:
    conf = ConfigParser()
    conf.read(ROOT / "scrapyd.conf")
    assert conf["scrapyd"]["bind_address"] == "127.0.0.1"
    assert all(conf["scrapyd"][name].startswith(".data/") for name in conf["scrapyd"]
               if name.endswith("_dir"))  # fmt: skip
