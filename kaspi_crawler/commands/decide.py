"""`scrapy decide`: situations in, decisions out, without a database."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar

from scrapy.commands import ScrapyCommand

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence

#: What the file is called when it is the standard input.
STDIN = "-"


class Command(ScrapyCommand):
    """Lines pass one by one, whatever the size of the file."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] FILE.jsonl|-"

    def short_desc(self) -> str:
        return "Decide prices: situations in, decisions out, one JSON a line"

    def long_desc(self) -> str:
        return "docs/strategies.md explains the keys of a situation; - is the standard input"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002
        """Write a line for each situation. Exit code 1: some could not be used, and say why."""
        with in_a_sentence("decide"):
            if len(args) != 1:
                raise BadArgument("name one file. A right one: scrapy decide situations.jsonl")
            with _opened(args[0]) as lines:
                decided, wrong = _decide(lines, sys.stdout.buffer)
        good, bad = _counted(decided, "decision"), _counted(wrong, "line")
        sys.stderr.write(f"{good}, {bad} that could not be used\n")
        self.exitcode = int(wrong > 0)


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    with Path(name).expanduser().open("rb") as file:
        yield file


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _decide(lines: IO[bytes], output: IO[bytes]) -> tuple[int, int]:
    """Answer line by line; how many were decided, and how many could not be."""
    from repricer.spoken import answers  # noqa: PLC0415  (other commands start without it)

    decided = wrong = 0
    for line, good in answers(lines):
        output.write(line)
        decided, wrong = decided + good, wrong + (not good)
    output.flush()
    return decided, wrong
