"""Sessions of the merchant cabinet: carried by every question to it, renewed when they are gone."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlsplit

import attrs
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from domain.identity import MerchantId
from kaspi_crawler.cabinet.browser import BrowserSignIn
from kaspi_crawler.cabinet.codes import Codes, NoCode
from kaspi_crawler.cabinet.doors import account_of, doors, name_of
from kaspi_crawler.cabinet.signing import (
    UNSEEN_RESTS,
    Perseverance,
    SignedOut,
    failure_of,
    request_of,
    unseen,
    walked,
    whole_answer,
)
from kaspi_crawler.conversation import SOON, answer_of
from kaspi_crawler.proxies import configured
from kaspi_crawler.turnstile import NotAsked
from partners.call import Answer, Call
from partners.kaspi.cabinet import is_signed_out
from partners.kaspi.cabinet_login import (
    Account,
    CannotSignIn,
    CodeWanted,
    Doors,
    Session,
    WhyNot,
    sign_in,
)
from storage.accounts import AccountBook, Kept
from storage.embedded import DatabaseUnavailable
from storage.patience import PASSING_ERRORS, Patience, patiently
from storage.ready import ready_address

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Sessions that are read or written at once, and accounts that sign in at once: each holds a
#: connection to the database, and dozens of stores would want more than there are.
_ABREAST = 6
#: What another middleware left in a question, and must not be in its repetition.
_TRACES = ("proxy", "_auth_proxy", "download_slot", "through", "turn")
_STILL_REFUSED = (
    "it signed in, and the new session is refused all the same. See whether the account may still "
    "see the store"
)

#: Seconds between two looks at whether the crawl ends.
_GLANCE = 0.2


@attrs.frozen
class _Shut:
    """A store of which nothing is asked: why, and until when by the loop's clock; None: no end."""

    why: str
    until: float | None


class Sessions:
    """Gives questions with `meta["account"]`, a store, the cookies of the store's session.

    They are of kind "cabinet", and go through the store's own exit. Where the session is gone, one
    process signs in, the others take what it got, and the question is asked again, once. Where
    that fails the question raises SignedOut, and so do all others of the store in this crawl; or
    for some minutes only, where the marketplace was away all the time.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._held: dict[MerchantId, str] = {}
        self._shut: dict[MerchantId, _Shut] = {}
        self._locks: defaultdict[MerchantId, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: Accounts whose sign-in was refused in this crawl, by what a person must mend.
        self._given_up: set[str] = set()
        self._connecting = asyncio.Semaphore(_ABREAST)
        self._signing_in = asyncio.Semaphore(_ABREAST)
        #: One store of an account signs in, and its others wait for no more than that.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    # --- What Scrapy calls ---------------------------------------------------------------------

    def process_request(self, request: Request) -> Awaitable[None] | None:
        """Carry the session, if the question is an account's."""
        store = request.meta.get("account")
        return None if store is None else self._carry(request, store)

    def process_response(
        self, request: Request, response: Response
    ) -> Response | Awaitable[Request]:
        """Sign in again where the session is gone, and ask again."""
        store = request.meta.get("account")
        if store is None or not is_signed_out(answer_of(response), self._doors.accounts):
            return response
        return self._again(request, store)

    # --- Questions -----------------------------------------------------------------------------

    async def _carry(self, request: Request, store: MerchantId) -> None:
        request.headers["Cookie"] = self._held.get(store) or await self._session(store, None)
        request.meta.setdefault("kind", "cabinet")
        if exit_name := self._exit_of(store):
            request.meta["exit"] = exit_name

    async def _again(self, request: Request, store: MerchantId) -> Request:
        """The question with another session. Raises SignedOut when that was refused, too."""
        stale = (request.headers["Cookie"] or b"").decode("latin-1")
        if request.meta.get("session") == "fresh":
            await self._shut_for_good(store, stale)
        logger.info("The session of store %s is gone", store)
        before = self._crawler.stats.get_value(f"signed_in/{store}", 0)
        await self._session(store, stale)
        again = request.replace(dont_filter=True, priority=request.priority + SOON)
        for trace in _TRACES:
            again.meta.pop(trace, None)
        again.headers.pop(b"Proxy-Authorization", None)
        if self._crawler.stats.get_value(f"signed_in/{store}", 0) > before:
            again.meta["session"] = "fresh"
        return again

    async def _shut_for_good(self, store: MerchantId, stale: str) -> None:
        async with self._locks[store]:
            if self._held.get(store) in {None, stale}:
                kept = await self._kept()
                await self._failed(kept, store, _STILL_REFUSED, timedelta(minutes=5))
                raise self._out(store, _STILL_REFUSED)

    # --- Sessions ------------------------------------------------------------------------------

    async def _session(self, store: MerchantId, stale: str | None) -> str:
        """The cookies of a session that is not the stale one. Raises SignedOut, NotAsked."""
        async with self._locks[store]:
            self._refuse_if_shut(store)
            held = self._held.get(store)
            if held is None or held == stale:
                held = self._held[store] = await self._found(store, stale)
                self._open(store)
            return held

    def _refuse_if_shut(self, store: MerchantId) -> None:
        shut = self._shut.get(store)
        if shut is not None and (shut.until is None or self._clock() < shut.until):
            raise SignedOut(store, shut.why)

    def _open(self, store: MerchantId) -> None:
        """What was said of a store that is open again holds no more."""
        if self._shut.pop(store, None):
            self._crawler.stats.set_value(f"signed_out/{store}", "")

    async def _found(self, store: MerchantId, stale: str | None) -> str:
        """The session that is kept, or a new one."""
        kept = await self._kept()
        if cookies := self._kept_session(kept, store, stale):
            return cookies
        credentials = kept[store].opened(self._book.key)
        if credentials is None:
            raise self._out(store, f"its password is not kept. Sign in: scrapy shop add {store}")
        account = account_of(credentials)
        name = name_of(account)
        # A sign-in may take many minutes, with its pauses and codes.
        async with (
            self._turns[name],
            self._signing_in,
            self._book.one_at_a_time(name, self._is_closing) as mine,
        ):
            if not mine:
                raise NotAsked("the crawl ends")
            kept = await self._kept()  # another process may have signed in meanwhile
            return self._kept_session(kept, store, stale) or await self._begun(kept, store, account)

    def _kept_session(
        self, kept: dict[MerchantId, Kept], store: MerchantId, stale: str | None
    ) -> str | None:
        if store not in kept:
            raise self._out(store, f"it has no account here. Add it: scrapy shop add {store}")
        cookies = kept[store].cookies(self._book.key)
        return None if cookies == stale else cookies

    async def _begun(
        self, kept: dict[MerchantId, Kept], store: MerchantId, account: Account
    ) -> str:
        """Sign in, and keep the session for all stores of the account."""
        if rest := kept[store].rest:
            lasts = None if name_of(account) in self._given_up else rest
            raise self._out(store, str(kept[store].failure), lasts)
        try:
            session = await self._walked_patiently(store, account)
        except (CannotSignIn, NoCode) as error:
            failure, rest = failure_of(error, store)
            await self._failed(kept, store, failure, rest)
            lasts = self._perseverance.left_alone(error)
            if lasts is None:
                self._given_up.add(name_of(account))
            raise self._out(store, failure, lasts) from None
        shared = [one for one in self._same_account(kept, store) if one in session.stores]
        await self._patiently(lambda: self._book.signed_in(shared, session.cookies))
        if store not in session.stores:
            # Of the store alone: the account is right, and opens the others.
            failure = unseen(store, session.stores)
            await self._patiently(lambda: self._book.failed([store], failure, UNSEEN_RESTS))
            raise self._out(store, failure)
        self._crawler.stats.inc_value(f"signed_in/{store}")
        logger.info("Signed in to the cabinet of store %s", store)
        return session.cookies

    async def _walked_patiently(self, store: MerchantId, account: Account) -> Session:
        """A sign-in, tried again while the marketplace is away.

        The account's other processes wait for this one. Raises CannotSignIn, NoCode, NotAsked.
        """
        tried = 0
        while True:
            tried += 1
            try:
                return await self._walked(store, account)
            except CannotSignIn as error:
                pause = self._perseverance.pause_after(tried, error)
                if pause is None:
                    raise
                logger.warning(
                    "No sign-in to the cabinet of store %s: %s. It is tried again in %.0f s",
                    *(store, error, pause.total_seconds()),
                )
                await self._wait(pause)

    async def _wait(self, pause: timedelta) -> None:
        """Wait so long. Raises NotAsked when the crawl ends meanwhile."""
        until = self._clock() + pause.total_seconds()
        while self._clock() < until:
            if self._is_closing():
                raise NotAsked("the crawl ends")
            await asyncio.sleep(_GLANCE)

    async def _walked(self, store: MerchantId, account: Account) -> Session:
        async def ask(call: Call) -> Answer:
            return await self._asked(call, store)

        async def code(wanted: CodeWanted) -> str:
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(None, self._codes.ask, store, wanted)
            except NoCode:
                if self._is_closing():
                    raise NotAsked("the crawl ends") from None
                raise

        if self._crawler.settings["CABINET_LOGIN"] == "browser":
            session = await self._in_browser(store).walk(account, code)
        else:
            session = await walked(sign_in(self._doors, account), ask, code)
        return session

    def _in_browser(self, store: MerchantId) -> BrowserSignIn:
        proxies, exit_name = self._proxies, self._exit_of(store)
        return BrowserSignIn(
            settings=self._crawler.settings,
            doors=self._doors,
            proxy=None if exit_name is None else proxies[exit_name],
        )

    async def _asked(self, call: Call, store: MerchantId) -> Answer:
        if self._crawler.engine is None:
            raise NotAsked("the crawl ends")
        try:
            response = await self._crawler.engine.download_async(
                request_of(call, self._exit_of(store))
            )
        except NotAsked:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a download ends by, the sign-in does, too)
            way = urlsplit(call.address).path
            told = f"{way}: no answer came ({type(error).__name__})"
            raise CannotSignIn(WhyNot.AWAY, told) from None
        return whole_answer(response)

    async def _failed(
        self, kept: dict[MerchantId, Kept], store: MerchantId, failure: str, rest: timedelta
    ) -> None:
        stores = self._same_account(kept, store)
        await self._patiently(lambda: self._book.failed(stores, failure, rest))

    def _same_account(self, kept: dict[MerchantId, Kept], store: MerchantId) -> list[MerchantId]:
        """The stores whose cabinets one account opens."""
        mine = kept[store].opened(self._book.key)
        return [
            one
            for one, other in kept.items()
            if one == store or (mine and other.opened(self._book.key) == mine)
        ]

    def _out(self, store: MerchantId, why: str, lasts: timedelta | None = None) -> SignedOut:
        """Nothing more is asked for the store, in this crawl or for as long as it lasts."""
        self._held.pop(store, None)
        until = None if lasts is None else self._clock() + lasts.total_seconds()
        if self._shut.get(store) != _Shut(why, None):
            self._shut[store] = _Shut(why, until)
            self._crawler.stats.set_value(f"signed_out/{store}", why)
            logger.error("The cabinet of store %s is shut: %s", store, why)
        return SignedOut(store, why)

    def _clock(self) -> float:
        """Seconds of the loop's clock."""
        return asyncio.get_running_loop().time()

    # --- What is found at the first question ---------------------------------------------------

    @cached_property
    def _doors(self) -> Doors:
        return doors(self._crawler.settings)

    @cached_property
    def _book(self) -> AccountBook:
        settings = self._crawler.settings
        address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
        return AccountBook(address=address, key=settings["KASPI_SECRET_KEY"])

    @cached_property
    def _perseverance(self) -> Perseverance:
        settings = self._crawler.settings
        return Perseverance(
            tries=settings.getint("SIGN_IN_TRIES"),
            pause=timedelta(seconds=settings.getfloat("SIGN_IN_PAUSE")),
        )

    @cached_property
    def _codes(self) -> Codes:
        settings = self._crawler.settings
        return Codes(
            command=settings["KASPI_CODE_COMMAND"],
            patience=settings.getfloat("CODE_PATIENCE"),
            is_closing=self._is_closing,
        )

    @cached_property
    def _proxies(self) -> Mapping[str, str]:
        return configured(self._crawler.settings)

    def _exit_of(self, store: MerchantId) -> str | None:
        """The store's own exit, which stays the same as long as it is there; None: directly."""

        def rank(name: str) -> bytes:
            return blake2b(f"{store} {name}".encode()).digest()

        return max(self._proxies, key=rank, default=None)

    async def _kept(self) -> dict[MerchantId, Kept]:
        return await self._patiently(self._book.read)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        async def connected() -> T:
            async with self._connecting:
                return await attempt()

        patience = Patience(give_up_after=self._crawler.settings.getfloat("STORE_PATIENCE"))
        return await patiently(connected, "a sign-in waits", patience, self._revive)

    def _revive(self) -> None:
        """Start the database if it is ours to start; the next try finds out whether it is."""
        settings = self._crawler.settings
        with suppress(DatabaseUnavailable, *PASSING_ERRORS):
            ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))

    def _is_closing(self) -> bool:
        slot = self._crawler.engine._slot if self._crawler.engine else None
        return slot is None or slot.closing is not None
