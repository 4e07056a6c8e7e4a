"""Forward proxies on this machine: each is an exit of its own, and leads to the sandbox alone."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import attrs

from sandbox.connections import reset
from sandbox.exits import EXIT_HEADER, Exit

#: The longest head of a request, in bytes.
_LONGEST_HEAD = 64 * 1024
_PIECE = 64 * 1024
#: Headers that end at a proxy.
_HOP = frozenset({"proxy-authorization", "proxy-connection", EXIT_HEADER.lower()})
_GONE = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class NotForUs(Exception):
    """A request that the proxy does not pass on: a status, its name, and why."""

    def __init__(self, status: int, name: str, why: str) -> None:
        super().__init__(why)
        self.status, self.name, self.why = status, name, why

    def answer(self) -> bytes:
        """The refusal as it is sent; the connection is closed behind it."""
        asks = 'Proxy-Authenticate: Basic realm="exit"\r\n' if self.status == 407 else ""
        body = f"{self.why}\n".encode()
        head = (
            f"HTTP/1.1 {self.status} {self.name}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"{asks}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body


@attrs.frozen
class Head:
    """The first line and the headers of a request."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]

    @classmethod
    def read(cls, head: bytes) -> "Head":
        """Understand a head. Raises NotForUs for what is none."""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        words = first.split(" ")
        pairs = [line.partition(":") for line in lines]
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise NotForUs(400, "Bad Request", f"no request in {first[:80]!r}")
        return cls(words[0], words[1], [(name.strip(), value.strip()) for name, _, value in pairs])

    def value(self, wanted: str) -> str:
        """A header's value, or nothing."""
        return next((value for name, value in self.headers if name.lower() == wanted), "")

    @property
    def length(self) -> int:
        """How long the body is. Raises NotForUs for a body without a length."""
        if self.value("transfer-encoding"):
            raise NotForUs(411, "Length Required", "say the length of the body")
        said = self.value("content-length") or "0"
        if not said.isdecimal():
            raise NotForUs(400, "Bad Request", f"no length in {said[:20]!r}")
        return int(said)

    def onwards(self, exit_name: str) -> bytes:
        """The head as the sandbox gets it: its own path, and the exit's name."""
        parts = urlsplit(self.target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [(name, value) for name, value in self.headers if name.lower() not in _HOP]
        lines = [f"{name}: {value}" for name, value in (*kept, (EXIT_HEADER, exit_name))]
        return "\r\n".join((f"{self.method} {path} HTTP/1.1", *lines, "", "")).encode("latin-1")


@attrs.define
class ForwardProxy:
    """One proxy on loopback. It refuses connections while its exit is dead."""

    exit: Exit
    host: str
    sandbox: str
    credentials: str | None = None
    _place: socket.socket | None = None
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = attrs.Factory(set)

    async def begin(self) -> None:
        """Take a port and keep it, dead or alive."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._place = _bound(family, self.host, 0)
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.exit.proxy = f"http://{host}:{self._place.getsockname()[1]}"
        await self.follow()

    async def follow(self) -> None:
        """Listen, or stop listening, as the exit's state wants it."""
        if self.exit.profile.state == "dead":
            await self._close()
        elif self._server is None and self._place is not None:
            door = _bound(self._place.family, self.host, self._place.getsockname()[1])
            self._server = await asyncio.start_server(self._meet, sock=door, limit=_LONGEST_HEAD)

    async def end(self) -> None:
        """Close everything and give the port back."""
        await self._close()
        if self._place:
            self._place.close()

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()
        for writer in tuple(self._open):
            reset(writer.transport)
        if server:
            await server.wait_closed()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await _Talk(self, reader, writer).go_on()
        except NotForUs as refused:
            with suppress(*_GONE):
                writer.write(refused.answer())
                await writer.drain()
        except _GONE:
            pass  # one of the two went: there is nobody left to tell
        finally:
            self._open.discard(writer)
            writer.close()

    def check(self, head: Head, tunnelled: bool) -> None:
        """Raises NotForUs for strangers and for other places than the sandbox."""
        if self.credentials is not None and not tunnelled:
            expected = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            if head.value("proxy-authorization") != expected:
                raise NotForUs(407, "Proxy Authentication Required", "say who you are")
        wanted = head.target if head.method == "CONNECT" else urlsplit(head.target).netloc
        if tunnelled and head.target.startswith("/"):
            return
        if wanted != urlsplit(self.sandbox).netloc:
            raise NotForUs(403, "Forbidden", f"this exit leads to {self.sandbox} alone")


@attrs.define
class _Talk:
    """One client's connection, and the connection to the sandbox that belongs to it."""

    proxy: ForwardProxy
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def go_on(self) -> None:
        """Pass requests on and answers back until one side goes."""
        async with self._sandbox() as (answers, onwards):
            back = asyncio.create_task(self._back(answers))
            try:
                await self._requests(onwards)
            finally:
                back.cancel()
                with suppress(asyncio.CancelledError):
                    await back

    @asynccontextmanager
    async def _sandbox(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        there = urlsplit(self.proxy.sandbox)
        reader, writer = await asyncio.open_connection(there.hostname, there.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _requests(self, onwards: asyncio.StreamWriter) -> None:
        tunnelled = False
        while True:
            head = Head.read(await self.reader.readuntil(b"\r\n\r\n"))
            self.proxy.check(head, tunnelled)
            if head.method == "CONNECT":
                tunnelled = True
                self.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                continue
            onwards.write(head.onwards(self.proxy.exit.name))
            await self._body(head.length, onwards)

    async def _body(self, length: int, onwards: asyncio.StreamWriter) -> None:
        while length:
            piece = await self.reader.read(min(length, _PIECE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", length)
            onwards.write(piece)
            length -= len(piece)
        await onwards.drain()

    async def _back(self, answers: asyncio.StreamReader) -> None:
        """Bytes as they come; a reset stays a reset, an early end an early end."""
        try:
            while piece := await answers.read(_PIECE):
                if self.writer.is_closing():  # the client went while we waited
                    return
                self.writer.write(piece)
                await self.writer.drain()
            self.writer.close()
        except ConnectionError:
            reset(self.writer.transport)


def _bound(family: int, host: str, port: int) -> socket.socket:
    """A socket at an address that it may share with others of ours; it does not listen yet."""
    place = socket.socket(family, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.setblocking(False)
    try:
        place.bind((host, port))
    except OSError:
        place.close()
        raise
    return place


@asynccontextmanager
async def open_proxies(
    exits: Iterable[Exit], host: str, sandbox: str, credentials: str | None
) -> AsyncIterator[Sequence[ForwardProxy]]:
    """A proxy for each exit while the block lasts. Raises OSError when no port is free."""
    async with AsyncExitStack() as ends:
        proxies = []
        for one in exits:
            proxy = ForwardProxy(one, host, sandbox, credentials)
            ends.push_async_callback(proxy.end)
            await proxy.begin()
            proxies.append(proxy)
        yield proxies
