"""Versions of a store's price feed: written whole or not at all, compared with the last, kept.

Below the directory of feeds lie `STORE.xml`, which is served, `previews/STORE.xml` with what would
be served, and `versions/STORE/` with the last versions: `000012.xml.gz`, its figures in `.json` and
its changes against the version before in `.csv`.
"""

import csv
import fcntl
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, cast

import attrs
import msgspec

from domain.feed_succession import Aspect, Fate, NotInOrder, OwnOffer, Step, succeed
from domain.identity import MerchantId
from domain.price_feed import FeedOffer, FeedShop
from partners.kaspi import price_feed
from partners.kaspi.price_feed import BrokenFeed, Figures
from storage.files import safe_cell, whole_file

#: A feed that loses more than one offer in so many is not written by itself: 5 %.
SHRINKS_BY_ONE_IN = 20
#: Faults that are told one by one.
_TOLD_FAULTS = 20
_BLOCK = 1 << 20
#: The next level takes twice the time for 3 % less.
_COMPRESSION = 6
#: Counted beside what changes in an offer: it is listed no more, and carried on.
WITHDRAWN = "withdrawn"
_COLUMNS = ("sku", "change", "before", "after")


class FeedRefused(ValueError):
    """A feed that must not replace the last one; the text says why, and what to do."""


@attrs.frozen(kw_only=True)
class Version:
    """What is known of one version. `withdrawn`: offers that are listed no more, carried on."""

    number: int
    made_at: datetime
    sha256: str
    size: int
    offers: int
    on_sale: int
    added: int
    removed: int
    withdrawn: int
    price: int
    availability: int
    text: int
    faults: int


@attrs.frozen(kw_only=True)
class Written:
    """What became of a feed. `version` is None for a preview, and when nothing had changed.

    `faults` are articles that cannot stand as they are listed, what becomes of them, and why.
    `alone` counts offers with the price of the one city that is known, `everywhere` those with one
    price for all cities.
    """

    path: Path
    changes_path: Path
    figures: Figures
    changes: Counter[str]
    faults: tuple[tuple[str, Fate, str], ...]
    alone: int
    everywhere: int
    version: Version | None
    is_unchanged: bool


@attrs.frozen
class Shelf:
    """Where a store's feeds lie."""

    directory: Path
    store: MerchantId

    @property
    def served(self) -> Path:
        """The feed that is handed out."""
        return self.directory / f"{self.store}.xml"

    @property
    def preview(self) -> Path:
        """What would be handed out."""
        return self.directory / "previews" / f"{self.store}.xml"

    @property
    def history(self) -> Path:
        """The directory of its versions."""
        return self.directory / "versions" / self.store

    def part(self, number: int, form: str) -> Path:
        """A file of one version: xml.gz, json or csv."""
        return self.history / f"{number:06}.{form}"

    @property
    def numbers(self) -> list[int]:
        """The versions that are kept, the oldest first."""
        return sorted(int(path.stem) for path in self.history.glob("[0-9]*.json"))

    def served_sha256(self) -> str | None:
        """The hash of the feed that is handed out, as its version tells it; None: there is none."""
        try:
            with self.served.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def versions(self) -> Iterator[Version]:
        """What is known of each version that is kept, the newest first."""
        for number in reversed(self.numbers):
            yield _version(self.part(number, "json").read_bytes())


@attrs.frozen(kw_only=True)
class Terms:
    """How a version may follow the last one.

    `publish`: it is served, else it is a preview. `omit`: what is listed no more is left out
    instead of being withdrawn. `shrink`: even when that is more than 5 %. `keep`: so many versions.
    """

    publish: bool
    omit: bool = False
    shrink: bool = False
    keep: int = 30


@attrs.frozen(kw_only=True)
class FeedWriter:
    """Writes the next version of a store's feed; until it is whole, the last one is served."""

    shelf: Shelf
    shop: FeedShop
    terms: Terms
    made_at: datetime

    def write(
        self,
        listings: Iterable[OwnOffer],
        settled: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Written:
        """Write the listings, which come in the order of their articles.

        `settled` is entered when all is written, and left when the file has its name: what it
        raises keeps the last version. Raises FeedRefused and OSError.
        """
        with _alone(self.shelf):
            written = self._write(listings, settled)
            _forget(self.shelf, self.terms.keep)
            return written

    def _write(
        self, listings: Iterable[OwnOffer], settled: Callable[[], AbstractContextManager[object]]
    ) -> Written:
        number = max(self.shelf.numbers, default=0) + 1
        path, changes_path = self._paths(number)
        version = None
        # The file gets its name before what was settled is let go of.
        with (
            suppress(_Unchanged),
            ExitStack() as until_named,
            whole_file(path) as file,
            whole_file(changes_path) as changes,
        ):
            course = _Course(changes)
            figures = self._lead(listings, course, cast("BinaryIO", file))
            _guard(course, figures, self.terms)
            if self.terms.publish and course.is_unchanged:
                raise _Unchanged
            if self.terms.publish:
                version = self._archived(number, file, figures, course)
            until_named.enter_context(settled())
            if version is not None:
                _keep(self.shelf, version)
        return Written(
            path=path,
            changes_path=changes_path,
            figures=figures,
            changes=course.changes,
            faults=tuple(course.faults),
            alone=course.alone,
            everywhere=course.everywhere,
            version=version,
            is_unchanged=course.is_unchanged,
        )

    def _paths(self, number: int) -> tuple[Path, Path]:
        """Of the feed, and of its changes."""
        if self.terms.publish:
            return self.shelf.served, self.shelf.part(number, "csv")
        return self.shelf.preview, self.shelf.preview.with_suffix(".csv")

    def _lead(self, listings: Iterable[OwnOffer], course: "_Course", file: BinaryIO) -> Figures:
        """Lead the last version and the listings past each other into the file."""
        with _last(self.shelf) as (last_shop, before):
            course.is_same_shop = (self.shop.merchant, self.shop.company) == last_shop
            try:
                steps = succeed(before, listings, omit=self.terms.omit)
                return price_feed.write(file, self.shop, course.follow(steps))
            except NotInOrder as error:
                raise FeedRefused(str(error)) from None
            except BrokenFeed as error:
                raise FeedRefused(_why_broken(error, course)) from None

    def _archived(
        self, number: int, file: IO[bytes], figures: Figures, course: "_Course"
    ) -> Version:
        """Put the feed into the archive; that alone is no version yet."""
        with whole_file(self.shelf.part(number, "xml.gz")) as archive:
            sha256, size = _compressed(file, archive)
        return Version(
            number=number,
            made_at=self.made_at,
            sha256=sha256,
            size=size,
            offers=figures.offers,
            on_sale=figures.on_sale,
            withdrawn=course.changes[WITHDRAWN],
            faults=len(course.faults),
            **{aspect: course.changes[aspect] for aspect in Aspect},
        )


class _Unchanged(Exception):
    """The served file says it all: its bytes, its date and its tag stay."""


class _Course:
    """Follows the steps from one version to the next, counts them and writes down the changes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        self._lines = csv.writer(self._text)
        self._lines.writerow(_COLUMNS)
        self.changes: Counter[str] = Counter()
        self.before = self.were_on_sale = self.lost = self.alone = self.everywhere = 0
        self.faults: list[tuple[str, Fate, str]] = []
        self.is_same_shop = False

    @property
    def is_unchanged(self) -> bool:
        return self.is_same_shop and not self.changes.total()

    def follow(self, steps: Iterable[Step]) -> Iterator[FeedOffer]:
        for step in steps:
            self._note(step)
            if step.after is not None:
                yield step.after
        self._text.detach()

    def _note(self, step: Step) -> None:
        on_sale = step.before is not None and step.before.on_sale
        self.before += step.before is not None
        self.were_on_sale += on_sale
        self.lost += step.missing and on_sale
        self.alone += step.alone
        self.everywhere += step.after is not None and step.after.price is not None
        if step.fault:
            self.faults.append((step.sku, step.fate, step.fault))
        for change in step.changes:
            self.changes[change.aspect] += 1
            told = (change.sku, change.aspect, change.before, change.after)
            self._lines.writerow(map(safe_cell, told))
        if step.missing and step.after is not None and on_sale:
            self.changes[WITHDRAWN] += 1


def _why_broken(error: BrokenFeed, course: _Course) -> str:
    if error.reason != "there is no offer":
        return error.reason
    named = "; ".join(f"{sku}: {fault}" for sku, _, fault in course.faults[:_TOLD_FAULTS])
    return f"no listing can stand in a feed: {named or 'there is none'}"


@contextmanager
def _last(shelf: Shelf) -> Iterator[tuple[tuple[str, str] | None, Iterator[FeedOffer]]]:
    """Merchant and company of the served feed, and its offers. Raises FeedRefused."""
    try:
        file = shelf.served.open("rb")
    except FileNotFoundError:
        yield None, iter(())
        return
    with file:
        try:
            shop, offers = price_feed.read(file)
        except BrokenFeed as error:
            raise _unreadable(shelf, error) from None
        yield (shop.merchant, shop.company), _readable(shelf, offers)


def _readable(shelf: Shelf, offers: Iterator[FeedOffer]) -> Iterator[FeedOffer]:
    try:
        yield from offers
    except BrokenFeed as error:
        raise _unreadable(shelf, error) from None


def _unreadable(shelf: Shelf, error: BrokenFeed) -> FeedRefused:
    return FeedRefused(
        f"the served feed {shelf.served} is broken, so that nothing can be compared with it: "
        f"{error}. Put the last version of {shelf.history} in its place, or take it away"
    )


def _guard(course: _Course, figures: Figures, terms: Terms) -> None:
    """Raise FeedRefused when too much would go off sale at once."""
    if terms.shrink:
        return
    remedy = "If that is meant, say --shrink"
    if course.lost * SHRINKS_BY_ONE_IN > course.before:
        raise FeedRefused(
            f"{course.lost:,} of {course.before:,} offers are listed no more, which is more than "
            f"5 %: an import that was not whole does that. {remedy}"
        )
    if course.were_on_sale and not figures.on_sale:
        raise FeedRefused(
            f"nothing would be on sale any more, of {course.were_on_sale:,}. {remedy}"
        )


def _compressed(file: IO[bytes], archive: IO[bytes]) -> tuple[str, int]:
    """Copy the whole file into the archive; its SHA-256 and its size."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    # No name and no time within: the same feed makes the same archive.
    with gzip.GzipFile("", "wb", _COMPRESSION, archive, mtime=0) as packed:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += packed.write(block)
    return digest.hexdigest(), size


def _keep(shelf: Shelf, version: Version) -> None:
    """Write the version's figures down, which make it count."""
    with whole_file(shelf.part(version.number, "json")) as facts:
        facts.write(msgspec.json.encode(version))


def _forget(shelf: Shelf, keep: int) -> None:
    for number in shelf.numbers[:-keep]:
        for form in ("json", "csv", "xml.gz"):
            shelf.part(number, form).unlink(missing_ok=True)


@contextmanager
def _alone(shelf: Shelf) -> Iterator[None]:
    """One writer a store. Raises FeedRefused."""
    shelf.history.mkdir(parents=True, exist_ok=True)
    with (shelf.history / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FeedRefused(f"the feed of {shelf.store} is being written by another") from None
        yield


def _version(facts: bytes) -> Version:
    return msgspec.json.decode(facts, type=Version)
