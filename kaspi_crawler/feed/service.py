"""The service that hands out price feeds: whole files, one tag a version, and nothing else.

A file is opened once for an answer, so that its reader gets the version that he began with, though
a newer one takes its name meanwhile. Who reads slowly or sends what nobody asked for is cut off.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import IO, Any, cast

import attrs
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.protocol import connectionDone
from twisted.internet.threads import deferToThread
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web import resource, server
from twisted.web.static import NoRangeStaticProducer

from domain.identity import MerchantId
from kaspi_crawler.feed.pulls import Pull, PullLog
from kaspi_crawler.feed.versions import Shelf

#: What a store's feed is called. Nothing else has a path, so that none leads out of the directory.
_PATH = re.compile(rb"/([A-Za-z0-9_-]{1,64})\.xml")
#: Seconds that a visitor may stay, and without a word; visitors at once, and from one address.
LONGEST_VISIT = 900
LONGEST_SILENCE = 30
MOST_VISITS = 64
MOST_VISITS_OF_ONE = 8
#: Refusals for want of a password are logged once in so many seconds: strangers fill no log.
_REFUSALS_EVERY = 60.0


@attrs.frozen
class Credentials:
    """The name and password that a reader must know."""

    name: str
    password: str

    def are_in(self, header: str) -> bool:
        """Whether an Authorization header holds them; it takes as long whatever it holds."""
        kind, _, token = header.partition(" ")
        try:
            said = base64.b64decode(token.strip(), validate=True)
        except (binascii.Error, ValueError):
            said = b""
        right = f"{self.name}:{self.password}".encode()
        return hmac.compare_digest(said, right) and kind.casefold() == "basic"


@attrs.frozen(kw_only=True)
class Tagged:
    """A served file as it was hashed: by what the system tells of it, its hash, its archive."""

    signature: tuple[int, ...]
    sha256: str
    archive: Path | None

    def tag(self, *, packed: bool) -> str:
        """Its strong entity tag."""
        return f'"{self.sha256[:32]}{"-gzip" if packed else ""}"'


@attrs.frozen(kw_only=True)
class Chosen:
    """The file that an answer holds, its length and its tag."""

    file: IO[bytes]
    size: int
    tag: str
    is_packed: bool


class Feeds(resource.Resource):
    """Answers GET and HEAD of /STORE.xml."""

    isLeaf = True  # noqa: N815

    def __init__(self, directory: Path, credentials: Credentials | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._directory, self._credentials = directory, credentials
        self._log = PullLog(directory)
        self._tagged: dict[str, Tagged] = {}
        self._hashing = DeferredLock()
        self._refused_at = datetime.min.replace(tzinfo=UTC)

    def render(self, request: server.Request) -> int:
        if request.method in {b"GET", b"HEAD"}:
            Deferred.fromCoroutine(self._answer(request)).addErrback(_fail, request)
        else:
            request.setHeader("allow", "GET, HEAD")
            _say(request, 405, "Feeds are for reading.")
        return server.NOT_DONE_YET

    async def _answer(self, request: server.Request) -> None:
        request.responseHeaders.removeHeader("server")
        request.setHeader("x-content-type-options", "nosniff")
        if self._credentials and not self._credentials.are_in(_header(request, "authorization")):
            self._refuse(request)
            return
        found = _PATH.fullmatch(request.path)
        shelf = Shelf(self._directory, MerchantId(found[1].decode() if found else ""))
        try:
            file = shelf.served.open("rb")
        except OSError:
            _say(request, 404, "There is no such feed.")
            return
        try:
            tagged = await self._tag(shelf.store, file)
        except BaseException:
            file.close()
            raise
        if request._disconnected:  # while the file was hashed
            file.close()
        else:
            self._hand_out(request, shelf.store, file, tagged)

    async def _tag(self, store: str, file: IO[bytes]) -> Tagged:
        """The file's tag, hashed once for each version."""
        signature = _signature(file)
        await self._hashing.acquire()
        try:
            known = self._tagged.get(store)
            if known is None or known.signature != signature:
                shelf = Shelf(self._directory, MerchantId(store))
                known = await deferToThread(_hashed, shelf, file, signature)
                self._tagged[store] = known
            return known
        finally:
            self._hashing.release()

    def _hand_out(
        self, request: server.Request, store: str, file: IO[bytes], tagged: Tagged
    ) -> None:
        """Answer with the file, or say that it is the one that is held already."""
        changed_at = datetime.fromtimestamp(int(os.fstat(file.fileno()).st_mtime), UTC)
        chosen = _chosen(file, tagged, packed=_takes_gzip(_header(request, "accept-encoding")))
        held = _held(request, {tagged.tag(packed=False), tagged.tag(packed=True)}, changed_at)
        request.setHeader("etag", held if isinstance(held, str) else chosen.tag)
        request.setHeader("last-modified", format_datetime(changed_at, usegmt=True))
        request.setHeader("cache-control", "no-cache")
        request.setHeader("vary", "Accept-Encoding")
        self._log_end(request, store, chosen)
        if held:
            chosen.file.close()
            request.setResponseCode(304)
            request.finish()
            return
        request.setHeader("content-type", "application/xml; charset=utf-8")
        request.setHeader("content-length", str(chosen.size))
        if chosen.is_packed:
            request.setHeader("content-encoding", "gzip")
        if request.method == b"HEAD":
            chosen.file.close()
            request.finish()
        else:
            NoRangeStaticProducer(request, chosen.file).start()

    def _refuse(self, request: server.Request) -> None:
        request.setHeader("www-authenticate", 'Basic realm="feeds", charset="UTF-8"')
        _say(request, 401, "This feed is given to who knows its name and password.")
        now = datetime.now(UTC)
        if (now - self._refused_at).total_seconds() > _REFUSALS_EVERY:
            self._refused_at = now
            found = _PATH.fullmatch(request.path)
            store = (found[1] if found else request.path).decode("utf-8", "replace")
            self._write(_pull(request, store, 401, "", 0, whole=True))

    def _log_end(self, request: server.Request, store: str, chosen: Chosen) -> None:
        """Write the pull down when it has ended, whole or broken off."""

        def ended(_: object, whole: bool) -> None:
            sends = request.code == 200 and request.method == b"GET"
            size = chosen.size if sends else 0
            self._write(_pull(request, store, request.code, chosen.tag, size, whole=whole))

        request.notifyFinish().addCallbacks(
            ended, ended, callbackArgs=(True,), errbackArgs=(False,)
        )

    def _write(self, pull: Pull) -> None:
        try:
            self._log.write(pull)
        except OSError as error:
            sys.stderr.write(f"scrapy feed: a pull could not be logged: {error}\n")


def _fail(failure: Any, request: server.Request) -> None:
    """Whatever went wrong, the visitor waits for an answer, and the operator hears of it."""
    sys.stderr.write(f"scrapy feed: {failure.getTraceback()}\n")
    if not request.finished and not request._disconnected:
        _say(request, 500, "The feed cannot be read now.")


def _say(request: server.Request, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    request.setResponseCode(status)
    request.setHeader("content-type", "text/plain; charset=utf-8")
    request.setHeader("content-length", str(len(body)))
    if request.method != b"HEAD":
        request.write(body)
    request.finish()


def _signature(file: IO[bytes]) -> tuple[int, ...]:
    told = os.fstat(file.fileno())
    return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns


def _hashed(shelf: Shelf, file: IO[bytes], signature: tuple[int, ...]) -> Tagged:
    """Hash a file that is open at its beginning, and leave it there."""
    sha256 = hashlib.file_digest(cast("Any", file), "sha256").hexdigest()
    file.seek(0)
    same = (version for version in shelf.versions() if version.sha256 == sha256)
    archive = next((shelf.part(version.number, "xml.gz") for version in same), None)
    return Tagged(signature=signature, sha256=sha256, archive=archive)


def _chosen(file: IO[bytes], tagged: Tagged, *, packed: bool) -> Chosen:
    """The file itself, or its archive when that is wanted and still there."""
    if packed and tagged.archive is not None:
        with suppress(OSError):
            archive = tagged.archive.open("rb")
            file.close()
            file, is_packed = archive, True
            size = os.fstat(file.fileno()).st_size
            return Chosen(file=file, size=size, tag=tagged.tag(packed=True), is_packed=is_packed)
    size = os.fstat(file.fileno()).st_size
    return Chosen(file=file, size=size, tag=tagged.tag(packed=False), is_packed=False)


def _held(request: server.Request, tags: Iterable[str], changed_at: datetime) -> str | bool:
    """The tag of what the visitor holds when it is the newest, or whether its date says so."""
    if asked := _header(request, "if-none-match"):
        known = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        return next((tag for tag in tags if tag in known), "*" in known)
    with suppress(ValueError, TypeError):  # a date that is none is passed over, as HTTP has it
        since = parsedate_to_datetime(_header(request, "if-modified-since"))
        return since >= changed_at
    return False


def _takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for part in header.casefold().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in {"gzip", "x-gzip", "*"}:
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def _header(request: server.Request, name: str) -> str:
    return request.getHeader(name) or ""


def _pull(
    request: server.Request, store: str, status: int, tag: str, size: int, *, whole: bool
) -> Pull:
    return Pull(
        at=datetime.now(UTC),
        store=store,
        source=_source(request),
        agent=_header(request, "user-agent"),
        status=status,
        etag=tag.strip('"'),
        size=size,
        whole=whole,
    )


def _source(request: server.Request) -> str:
    """The visitor's address; behind a proxy on this machine, the last one that the proxy names."""
    host = str(getattr(request.getClientAddress(), "host", ""))
    told = _header(request, "x-forwarded-for").rpartition(",")[2].strip()
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return str(ipaddress.ip_address(told))
    return host


class _Request(server.Request):
    """Nobody has anything to tell us: who announces a body is cut off before it comes."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        if length != 0:
            cast("Any", self.channel).transport.abortConnection()
        super().gotLength(0)  # type: ignore[no-untyped-call]


class _Visit(ProtocolWrapper):
    """A connection that ends by itself."""

    def connectionMade(self) -> None:  # noqa: N802
        from twisted.internet import reactor  # noqa: PLC0415  (chosen by who runs the service)

        self._end = cast("Any", reactor).callLater(LONGEST_VISIT, self.abortConnection)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        if self._end.active():
            self._end.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class _Door(WrappingFactory):
    """Lets in so many at once."""

    protocol = _Visit

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        host = getattr(addr, "host", "")
        inside = Counter(visit.getPeer().host for visit in self.protocols)
        is_near = host.startswith("127.") or host == "::1"
        if inside.total() >= MOST_VISITS or (not is_near and inside[host] >= MOST_VISITS_OF_ONE):
            return None
        return super().buildProtocol(addr)


def door(directory: Path, credentials: Credentials | None) -> WrappingFactory:
    """What is to listen at a port, to hand out the feeds of a directory."""
    site = server.Site(Feeds(directory, credentials), _Request, timeout=LONGEST_SILENCE)
    return _Door(site)  # type: ignore[no-untyped-call]
