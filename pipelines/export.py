"""Stage 400: export: what is stored goes into the crawl's file, then into `latest`."""

import asyncio
import errno
import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import psycopg
from scrapy.crawler import Crawler

from domain.readings import Finding
from domain.run import Run
from pipelines.lines import line_of
from storage.embedded import DatabaseUnavailable
from storage.exports import write_latest
from storage.files import encode
from storage.ready import ready_address

logger = logging.getLogger(__name__)

#: Bytes that are written at once: a board's line is longer than Python's default of 8 KB.
_BUFFER = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: What a file is called until its crawl has ended.
PARTIAL = ".partial"


class Export:
    """Writes `EXPORTS_DIR/<spider>/<UTC start>-<id>.jsonl`, a line for each stored reading.

    The file gets its name when the crawl ends. When the disk is full the crawl goes on without
    exports: the database holds everything, and `scrapy export` writes it later.
    """

    _file: IO[bytes] | None = None

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._directory = Path(crawler.settings["EXPORTS_DIR"])
        self._path = self._directory

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open_spider(self) -> None:
        """Begin the crawl's file; finish those of crawls that were killed."""
        run: Run = self._crawler.spider.run  # type: ignore[union-attr]
        self._path = self._directory / run.spider / f"{run.name}.jsonl"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            finish_abandoned(self._path.parent)
            self._file = _begin(self._path)
        except OSError as error:
            self._give_up(error)

    def process_item(self, item: Finding) -> Finding:
        """Write a line. By now the item is committed."""
        if self._file:
            try:
                self._file.write(encode(line_of(item)) + b"\n")
            except OSError as error:
                self._give_up(error)
        return item

    async def close_spider(self) -> None:
        """Give the file its name, and replace `latest`."""
        try:
            if self._file:
                _finish(self._file, self._path)
            if self._crawler.settings.getbool("LATEST_EXPORTS"):
                await asyncio.get_running_loop().run_in_executor(None, self._write_latest)
        except OSError as error:
            self._give_up(error)
        except (DatabaseUnavailable, psycopg.Error) as error:
            logger.error("latest/ is as the crawl before left it: %s", error)

    def _write_latest(self) -> None:
        settings = self._crawler.settings
        address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
        write_latest(address, self._directory / "latest")

    def _give_up(self, error: OSError) -> None:
        """Go on without exports, and say so once."""
        if self._file:
            with suppress(OSError):  # it tries to write what it could not write before
                self._file.close()
        self._file = None
        if self._crawler.stats.get_value("export/failed"):
            return
        self._crawler.stats.set_value("export/failed", str(error))
        logger.error(
            "Exports stop here: %s: %s. The crawl goes on, and everything is stored. "
            "%s, then run `scrapy export products` or `scrapy export offers`",
            error.filename or self._path,
            error.strerror,
            "Free the disk" if error.errno in _FULL else "Set EXPORTS_DIR to a writable directory",
        )


def finish_abandoned(directory: Path) -> None:
    """Name the files of killed crawls, without the line that was being written.

    A file whose crawl still runs is locked by it, and left alone.
    """
    for partial in directory.glob(f"*.jsonl{PARTIAL}"):
        with suppress(FileNotFoundError, BlockingIOError):  # its crawl has ended, or goes on
            _finish_abandoned(partial)


def _finish_abandoned(partial: Path) -> None:
    with partial.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _cut_after_last_line(file)
        name = partial.name.removesuffix(f".jsonl{PARTIAL}")
        partial.rename(partial.with_name(f"{name}-interrupted.jsonl"))
        logger.warning("Finished the export of a crawl that was killed: %s", name)


def _begin(path: Path) -> IO[bytes]:
    """A new file, locked before others can take it for an abandoned one."""
    unseen = path.with_name(f".{path.name}")
    file = unseen.open("wb", buffering=_BUFFER)
    fcntl.flock(file, fcntl.LOCK_EX)
    unseen.rename(path.with_name(path.name + PARTIAL))
    return file


def _finish(file: IO[bytes], path: Path) -> None:
    """Give the file its name when all of it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    path.with_name(path.name + PARTIAL).rename(path)
    file.close()


def _cut_after_last_line(file: IO[bytes]) -> None:
    position = file.seek(0, 2)
    while position:
        position -= min(position, 65_536)
        file.seek(position)
        newline = file.read(65_536).rfind(b"\n")
        if newline >= 0:
            file.truncate(position + newline + 1)
            return
    file.truncate(0)
