"""Who took which feed, and when: a line of JSON each, no more of them than are needed."""

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import attrs
import msgspec

#: Bytes after which a new file is begun; the one before is kept, older ones are not.
_ENOUGH = 2_000_000
#: Signs of a stranger's text that are kept.
_LONGEST_TEXT = 200
#: Programs by which somebody looks by hand, as their names begin.
_BY_HAND = ("curl/", "wget/", "httpie/", "python-urllib/", "python-requests/", "python-httpx/")


@attrs.frozen(kw_only=True)
class Pull:
    """One answer to somebody who asked for a feed.

    `status` is that of HTTP; `whole`: all of it was sent; `etag` names what was sent or is held.
    """

    at: datetime
    store: str
    source: str
    agent: str
    status: int
    etag: str
    size: int
    whole: bool

    @property
    def took_it_whole(self) -> bool:
        """Whether somebody who may be the marketplace was handed a feed, and all of it."""
        return self.status == 200 and self.size > 0 and self.whole and not self.is_our_own

    @property
    def is_our_own(self) -> bool:
        """Whether a person or a script on this machine looked, by a program of everybody's.

        Neither the address nor the name of the marketplace's puller is known, so nobody else can
        be told from it. Behind a proxy that names no visitor its pulls come from this machine, too.
        """
        with suppress(ValueError):
            is_near = ipaddress.ip_address(self.source).is_loopback
            return is_near and self.agent.casefold().startswith(_BY_HAND)
        return False

    @property
    def is_named_kaspi(self) -> bool:
        """Whether its program is named so; that is all that a log can say for it."""
        return "kaspi" in self.agent.casefold()


def version_tag(pull: Pull) -> str:
    """The beginning of the hash of the version that was handed out, or is held."""
    return pull.etag.removesuffix("-gzip")


@attrs.frozen
class PullLog:
    """The log of pulls below the directory of feeds."""

    directory: Path

    @property
    def path(self) -> Path:
        """The file that is written to."""
        return self.directory / "pulls.jsonl"

    @property
    def _former(self) -> Path:
        return self.directory / "pulls.1.jsonl"

    def write(self, pull: Pull) -> None:
        """Add a line. Raises OSError."""
        if self.path.is_file() and self.path.stat().st_size > _ENOUGH:
            self.path.replace(self._former)
        short = attrs.evolve(pull, agent=pull.agent[:_LONGEST_TEXT])
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(short) + b"\n")

    def read(self) -> Iterator[Pull]:
        """What is remembered, the oldest first; a line that a crash cut off is passed over."""
        for path in (self._former, self.path):
            if path.is_file():
                with path.open("rb") as file:
                    yield from filter(None, map(_pull, file))


def _pull(line: bytes) -> Pull | None:
    try:
        return msgspec.json.decode(line, type=Pull)
    except msgspec.DecodeError:
        return None
