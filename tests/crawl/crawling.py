"""`scrapy crawl` as a process: started, watched, stopped, and its files read."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).parent.parent.parent
#: Seconds after which a crawl of the tests hangs.
PATIENCE = 120

Arguments = dict[str, str]
Line = dict[str, Any]


@attrs.frozen
class Ended:
    """A crawl that is over: its exit code and what it said on its standard error."""

    code: int
    said: str

    @property
    def figures(self) -> dict[str, int]:
        """The figures of its last sentence: {"read and stored": 40}."""
        closing = re.search(r"Closed \((.*?)\): (.*)", self.said)
        assert closing, self.said
        figures = re.findall(r"([\d,]+) ([a-z ]+)", closing[2])
        return {name: int(number.replace(",", "")) for number, name in figures}

    @property
    def reason(self) -> str:
        """Why it closed, by its own words."""
        closing = re.search(r"Closed \((.*?)\)", self.said)
        assert closing, self.said
        return closing[1]

    def sentences_about(self, *words: str) -> list[str]:
        """The lines that hold all of these words."""
        return [line for line in self.said.splitlines() if all(word in line for word in words)]


@attrs.frozen
class Crawl:
    """A crawl under way."""

    process: subprocess.Popen[str]

    def end(self, number: int | None = None) -> Ended:
        """Wait for its end, after sending a signal if one is named."""
        if number is not None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=PATIENCE)
        return Ended(self.process.returncode, said)


@attrs.frozen(kw_only=True)
class Workplace:
    """Where crawls run: the storefront they read, the database they fill, their directories."""

    kaspi_url: str
    database: str
    directory: Path

    @property
    def exports(self) -> Path:
        """EXPORTS_DIR."""
        return self.directory / "exports"

    @property
    def data(self) -> Path:
        """DATA_DIR."""
        return self.directory / "data"

    def crawl(self, spider: str, arguments: Arguments | None = None, **more: Any) -> Ended:
        """Run a crawl to its end; `more` as for `started`."""
        with self.started(spider, arguments, **more) as crawl:
            return crawl.end()

    @contextmanager
    def started(
        self,
        spider: str,
        arguments: Arguments | None = None,
        *,
        settings: dict[str, object] | None = None,
        largest_file: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> Iterator[Crawl]:
        """A crawl that does not outlive the block.

        `settings` are given with -s; `largest_file` is the size in blocks of 512 bytes at
        which the disk is full for this process; `environment` is added to the place's own.
        """
        words = [f"-a{name}={value}" for name, value in (arguments or {}).items()]
        words += [f"-s{name}={value}" for name, value in (settings or {}).items()]
        process = subprocess.Popen(
            [*_limit(largest_file), sys.executable, "-m", "scrapy", "crawl", spider, *words],
            cwd=ROOT,
            env={**os.environ, **self.environment, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Crawl(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.communicate()

    @property
    def environment(self) -> dict[str, str]:
        """What a crawl's environment says of this place."""
        return {
            "KASPI_URL": self.kaspi_url,
            "DATABASE_URL": self.database,
            "DATA_DIR": str(self.data),
            "EXPORTS_DIR": str(self.exports),
        }

    def files(self, spider: str) -> list[Path]:
        """The export files of a spider under their final names, oldest first."""
        return sorted((self.exports / spider).glob("*.jsonl"))

    def partial_files(self) -> list[str]:
        """Whatever lies in the exports under a name that is not final."""
        return [path.name for path in self.exports.rglob("*") if path.suffix == ".partial"]

    def lines(self, spider: str) -> list[Line]:
        """The lines of the spider's newest export."""
        return lines_of(self.files(spider)[-1])

    def latest(self, what: str) -> list[Line]:
        """The array in latest/<what>.json."""
        text = (self.exports / "latest" / f"{what}.json").read_text(encoding="utf-8")
        rows: list[Line] = json.loads(text)
        return rows

    def set_aside(self, spider: str) -> dict[tuple[str, str | None], tuple[Line, bytes]]:
        """The newest quarantined answer of each product and city: description and bytes."""
        found = {}
        for path in sorted((self.data / "quarantine" / spider).glob("*.json")):
            told = json.loads(path.read_text(encoding="utf-8"))
            found[told["kaspi_id"], told["city_id"]] = told, path.with_suffix(".body").read_bytes()
        return found


def lines_of(path: Path) -> list[Line]:
    """The lines of an export; each must be a whole object."""
    text = path.read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def listed(products: Iterable[str]) -> str:
    """Products as an argument."""
    return ",".join(products)


def eventually(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)


def _limit(largest_file: int | None) -> list[str]:
    if largest_file is None:
        return []
    return ["sh", "-c", f'ulimit -f {largest_file}; exec "$@"', "sh"]
