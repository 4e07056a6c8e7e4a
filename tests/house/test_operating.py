"""Every close reason and every alarm of the code stands in the operator's guide."""

import re
from pathlib import Path

import pytest

from kaspi_crawler.health.monitors import MONITORS, REASONS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
#: Those that Scrapy gives by itself, whoever asks for them.
SCRAPYS_OWN = {"finished", "shutdown", "start_error", "cancelled"}
#: How the code closes a crawl.
_CLOSING = re.compile(r"CloseSpider\(\s*f?\"(\w+)\"|close_spider_async\(\s*reason=\"(\w+)\"")


def close_reasons() -> set[str]:
    found = set(SCRAPYS_OWN)
    for room in ("kaspi_crawler", "pipelines"):
        for path in (ROOT / room).rglob("*.py"):
            for match in _CLOSING.findall(path.read_text(encoding="utf-8")):
                found |= set(filter(None, match))
    return found


def rows_of(section: str) -> str:
    """The first cells of the section's table."""
    text = GUIDE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))


def test_the_code_closes_crawls_in_ways_that_are_found() -> None:
    assert {"blocked", "database_away"} <= close_reasons()


@pytest.mark.parametrize("reason", sorted(close_reasons()))
def test_a_close_reason_stands_in_the_guide(reason: str) -> None:
    assert f"`{reason}`" in rows_of("How a crawl ends")


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_an_alert_speaks_of_reasons_that_exist(reason: str) -> None:
    assert reason in close_reasons()


@pytest.mark.parametrize("alarm", sorted(MONITORS))
def test_an_alarm_stands_in_the_guide(alarm: str) -> None:
    assert f"`{alarm}`" in rows_of("Alarms")


def test_the_guide_names_no_alarm_that_does_not_exist() -> None:
    named = set(re.findall(r"^ `(\w+)` $", rows_of("Alarms"), re.MULTILINE))
    assert named == set(MONITORS)
