"""Price lists that the market fetches by their address: on its clock, or at once on command."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import urlsplit

import attrs
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, encode_basic_auth

from domain.identity import MerchantId
from sandbox.loopback import loopback
from sandbox.seller.files import Files
from sandbox.seller.goods import Author
from sandbox.seller.shelf import Shelf
from sandbox.seller.switches import SellerSwitches

#: What the market calls itself is not known; sellers look for "kaspi" in their logs.
_AGENT = "kaspi-sandbox-price-list"
_IN_MEMORY = 16_000_000
_PATIENCE = ClientTimeout(total=600, sock_connect=10)


@attrs.define(kw_only=True)
class Source:
    """Where a store's list is, and what is remembered of the last one that came."""

    url: str
    email: str
    login: str | None = None
    password: str | None = None
    etag: str | None = None
    modified: str | None = None
    sum: str | None = None


@attrs.frozen(kw_only=True)
class Pull:
    """One time that a list was asked for, at the sandbox's moment, and what came of it.

    `outcome` is taken, unchanged, refused, unauthorized or unreachable; `detail` says more.
    """

    merchant: MerchantId
    at: datetime
    outcome: str
    status: int | None = None
    file: str | None = None
    detail: str | None = None


@attrs.define
class Puller:
    """All sources, and every pull, the latest last."""

    files: Files
    shelves: dict[MerchantId, Shelf]
    switches: Callable[[], SellerSwitches]
    sources: dict[MerchantId, Source] = attrs.Factory(dict)
    pulls: list[Pull] = attrs.Factory(list)
    _begun: dict[MerchantId, asyncio.Task[Pull]] = attrs.Factory(dict)

    def follow(self, merchant: MerchantId, source: Source) -> None:
        """Fetch a store's list from now on, first when an interval has passed.

        Raises NotLoopback for an address that is not on this machine.
        """
        loopback(urlsplit(source.url).hostname or "")
        self.sources[merchant] = source
        self._make_appointment(merchant, source)

    def leave(self, merchant: MerchantId) -> None:
        """Fetch it no more."""
        self.sources.pop(merchant, None)

    async def finished(self) -> None:
        """Wait until every pull that has begun is over."""
        await asyncio.gather(*self._begun.values())

    async def pull(self, merchant: MerchantId) -> Pull:
        """Fetch a store's list now. Raises LookupError without a source."""
        source = self.sources.get(merchant)
        if source is None:
            raise LookupError(f"no address of a price list is set for {merchant}")
        try:
            told = await self._fetch(merchant, source)
        except (ClientError, TimeoutError) as wrong:
            told = self._told(merchant, "unreachable", detail=str(wrong) or type(wrong).__name__)
        self.pulls.append(told)
        return told

    def _make_appointment(self, merchant: MerchantId, source: Source) -> None:
        world = self.shelves[merchant].world
        after = timedelta(minutes=self.switches().pull_minutes)
        world.when(world.now + after, partial(self._due, merchant, source))

    def _due(self, merchant: MerchantId, source: Source) -> None:
        """Begin a pull, unless the address was changed since."""
        if self.sources.get(merchant) is not source:
            return
        self._make_appointment(merchant, source)
        begun = self._begun.get(merchant)
        if begun is None or begun.done():  # a long jump of the clock is one pull, not one an hour
            self._begun[merchant] = asyncio.get_running_loop().create_task(self.pull(merchant))

    async def _fetch(self, merchant: MerchantId, source: Source) -> Pull:
        async with (
            ClientSession(timeout=_PATIENCE) as client,
            client.get(source.url, headers=self._asking(source), allow_redirects=False) as answer,
        ):
            status = answer.status
            if status == 304:
                return self._told(merchant, "unchanged", status)
            if status != 200:
                outcome = "unauthorized" if status in {401, 403} else "unreachable"
                return self._told(merchant, outcome, status, detail=f"HTTP {status}")
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
                total = await _kept(answer, kept)
                if self._is_known(source, answer, total):
                    return self._told(merchant, "unchanged", status)
                return await self._receive(merchant, source, kept)

    def _asking(self, source: Source) -> dict[str, str]:
        headers = {"User-Agent": _AGENT}
        if source.login:
            headers["Authorization"] = encode_basic_auth(source.login, source.password or "")
        by = self.switches().changed_by
        if by == "etag" and source.etag:
            headers["If-None-Match"] = source.etag
        if by == "modified" and source.modified:
            headers["If-Modified-Since"] = source.modified
        return headers

    def _is_known(self, source: Source, answer: ClientResponse, total: str) -> bool:
        """Whether the list is the one that came before; remembers it."""
        new = {
            "etag": answer.headers.get("ETag"),
            "modified": answer.headers.get("Last-Modified"),
            "hash": total,
            "nothing": None,
        }
        old = {"etag": source.etag, "modified": source.modified, "hash": source.sum}
        source.etag, source.modified, source.sum = new["etag"], new["modified"], total
        by = self.switches().changed_by
        return new[by] is not None and new[by] == old.get(by)

    async def _receive(self, merchant: MerchantId, source: Source, kept: IO[bytes]) -> Pull:
        shelf = self.shelves[merchant]
        author = Author(email=source.email, door="pull", at=shelf.world.now)
        file = await self.files.receive(shelf, kept, author)
        outcome = "refused" if file.status == "FAILED" else "taken"
        return self._told(merchant, outcome, 200, file=file.id, detail=file.why)

    def _told(
        self,
        merchant: MerchantId,
        outcome: str,
        status: int | None = None,
        *,
        file: str | None = None,
        detail: str | None = None,
    ) -> Pull:
        at = self.shelves[merchant].world.now
        return Pull(
            merchant=merchant, at=at, outcome=outcome, status=status, file=file, detail=detail
        )


async def _kept(answer: ClientResponse, kept: IO[bytes]) -> str:
    """Put a body away, and say its sum."""
    total = hashlib.sha256()
    async for piece in answer.content.iter_chunked(256 * 1024):
        total.update(piece)
        kept.write(piece)
    return total.hexdigest()
