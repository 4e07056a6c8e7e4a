"""A crawl's processes as /proc shows them: the driver, the browser and its children."""

import time
from pathlib import Path

import attrs

from tests.crawl.crawling import eventually


@attrs.frozen
class Process:
    """One process; a later one with the same id began at another time."""

    id: int
    parent: int
    began: str
    state: str
    words: str

    @property
    def is_browser(self) -> bool:
        """Whether it is Chromium's first process, which all others belong to."""
        return "user-data-dir" in self.words and "--type=" not in self.words


def alive() -> dict[int, Process]:
    """Every process of the machine that has not ended."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (process := _read(entry)) and process.state != "Z":
            found[process.id] = process
    return found


def _read(entry: Path) -> Process | None:
    try:
        stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None  # it has just ended
    fields = stat.rpartition(")")[2].split()
    return Process(
        id=int(entry.name), parent=int(fields[1]), began=fields[19], state=fields[0], words=words
    )


def family(root: int) -> list[Process]:
    """All that a process has started, directly or not."""
    processes = alive()
    found, seen = [], {root}
    while more := [p for p in processes.values() if p.parent in seen and p.id not in seen]:
        found += more
        seen |= {process.id for process in more}
    return found


def still_there(processes: list[Process]) -> list[Process]:
    """Those of them that have not ended."""
    now = alive()
    return [p for p in processes if p.id in now and now[p.id].began == p.began]


def assert_all_end(processes: list[Process], temporary: Path, seconds: float = 20) -> None:
    """They end soon, as does whoever else was started with this directory for its files."""

    def left() -> list[Process]:
        strangers = [each for each in alive().values() if str(temporary) in each.words]
        return still_there(processes) + strangers

    eventually(lambda: not left(), seconds)


def browser_of(root: int, seconds: float = 60) -> Process:
    """The browser that a crawl has started, once it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for process in family(root):
            if process.is_browser:
                return process
        time.sleep(0.02)
    raise AssertionError("the crawl started no browser")
