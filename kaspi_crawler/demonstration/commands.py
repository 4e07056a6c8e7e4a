"""Our own commands as a person types them, each in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs

_ADDRESS = re.compile(r"http://[\w.:]+/")


class CommandFailed(RuntimeError):
    """A command that ended with another exit code than 0."""

    def __init__(self, words: tuple[str, ...], code: int, said: str) -> None:
        super().__init__(f"scrapy {' '.join(words)} ended with {code}\n{said}".rstrip())
        self.code = code


@attrs.frozen
class Commands:
    """Types `scrapy …` with an environment of its own beside the person's."""

    environment: Mapping[str, str]

    def having(self, **more: str) -> "Commands":
        """The same with other variables."""
        return Commands({**self.environment, **more})

    def crawl(self, spider: str, **arguments: str) -> None:
        """Run a spider, whose progress is shown. Raises CommandFailed."""
        words = _crawling(spider, arguments)
        ended = subprocess.run(self._line(words), env=self._variables(), check=False)  # noqa: S603
        if ended.returncode:
            raise CommandFailed(words, ended.returncode, "")

    def crawl_unseen(self, spider: str, **arguments: str) -> None:
        """Run a spider that has hardly any progress to show. Raises CommandFailed."""
        self.run(*_crawling(spider, arguments))

    def run(self, *words: str) -> str:
        """What a command says on its standard output. Raises CommandFailed."""
        ended = subprocess.run(  # noqa: S603
            self._line(words), env=self._variables(), check=False, capture_output=True, text=True
        )
        if ended.returncode:
            raise CommandFailed(words, ended.returncode, ended.stdout + ended.stderr)
        return ended.stdout

    @contextmanager
    def serving_feeds(self) -> Iterator[str]:
        """The address at which the feeds are handed out while the block lasts.

        Raises CommandFailed.
        """
        words = ("feed", "serve", "--port", "0")
        with subprocess.Popen(  # noqa: S603
            self._line(words), env=self._variables(), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                found = _ADDRESS.match(line)
                if found is None:
                    raise CommandFailed(words, process.wait(), line)
                yield found[0]
            finally:
                process.terminate()

    def _line(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "scrapy", *words]

    def _variables(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def _crawling(spider: str, arguments: Mapping[str, str]) -> tuple[str, ...]:
    pairs = (word for pair in arguments.items() for word in ("-a", "=".join(pair)))
    return ("crawl", spider, "-L", "ERROR", *pairs)
