"""Speaking to scrapyd: a password that is made once, and an answer or a sentence."""

import stat
from pathlib import Path

import pytest

from kaspi_crawler.timetable.daemon import Daemon, DaemonAway, credentials
from partners.scrapyd import DaemonRefuses, Scrapyd, read_state
from tests.deployment.daemon import free_port


def test_a_password_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    name, password = credentials({}, tmp_path)
    path = tmp_path / "scrapyd/password"
    assert (name, path.read_text(encoding="ascii").strip()) == ("kaspi", password)
    assert len(password) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert credentials({}, tmp_path) == (name, password)
    assert [each.name for each in path.parent.iterdir()] == ["password"]


def test_every_place_has_its_own(tmp_path: Path) -> None:
    assert credentials({}, tmp_path / "a") != credentials({}, tmp_path / "b")


def test_the_environment_s_goes_before(tmp_path: Path) -> None:
    told = {"SCRAPYD_USERNAME": "operator", "SCRAPYD_PASSWORD": "x"}
    assert credentials(told, tmp_path) == ("operator", "x")
    assert not list(tmp_path.iterdir())


async def test_a_scrapyd_that_is_not_there_is_named() -> None:
    scrapyd = Scrapyd(address=f"http://127.0.0.1:{free_port()}", project="kaspi_crawler")
    with pytest.raises(DaemonAway, match=f"does not answer at {scrapyd.address}.*scrapy daemon"):
        await Daemon(scrapyd, patience=5).ask(scrapyd.status("1"), read_state)


async def test_another_server_is_not_taken_for_it(shop: str) -> None:
    scrapyd = Scrapyd(address=shop, project="kaspi_crawler")
    with pytest.raises(DaemonRefuses, match="is not scrapyd: check SCRAPYD_URL"):
        await Daemon(scrapyd).ask(scrapyd.status("1"), read_state)
