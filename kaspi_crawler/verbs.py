"""Commands with verbs: `scrapy worklist add`, `scrapy proxies status`."""

import argparse
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from kaspi_crawler.complaints import in_a_sentence


class VerbCommand(ScrapyCommand):
    """A command whose first word says what to do; what goes wrong is told in a sentence."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    #: Each verb and what it does.
    verbs: ClassVar[Mapping[str, str]]
    #: One line on the command, and what may follow the verb.
    about: ClassVar[str]
    follows: ClassVar[str]
    #: How the words behind the verb are taken: argparse.REMAINDER also takes what looks like an
    #: option of Scrapy's.
    takes: ClassVar[str] = "*"

    @property
    def name(self) -> str:
        """What is typed after scrapy: the module's name."""
        return type(self).__module__.rpartition(".")[2]

    def syntax(self) -> str:
        return f"[options] {'|'.join(self.verbs)} [{self.follows}]"

    def short_desc(self) -> str:
        return self.about

    def long_desc(self) -> str:
        return "; ".join(f"{verb}: {meaning}" for verb, meaning in self.verbs.items())

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("verb", nargs="?", help=", ".join(self.verbs))
        parser.add_argument("words", nargs=self.takes, help=self.follows)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do it. Raises UsageError without a verb."""
        if opts.verb not in self.verbs:
            said = f"say what to do: scrapy {self.name} {'|'.join(self.verbs)}"
            raise UsageError(said, print_help=False)
        with in_a_sentence(self.name, getattr(opts, "language", "en")):
            self.exitcode = self.do(
                opts.verb, [*opts.words, *args], opts, self.settings or Settings()
            )

    @abstractmethod
    def do(
        self, verb: str, words: Sequence[str], opts: argparse.Namespace, settings: Settings
    ) -> int:
        """Do what the verb says with the words behind it; the exit code."""


def database_of(settings: Settings) -> str:
    """The address of the database, started if need be. Raises DatabaseUnavailable, SchemaBehind."""
    from storage.ready import ready_address  # noqa: PLC0415  (mistakes are told before it is loaded)

    return ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
