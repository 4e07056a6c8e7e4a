"""A sign-in that comes to nothing: what is tried again, how politely, and what never is."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from cryptography.fernet import Fernet
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings

from domain.identity import MerchantId
from kaspi_crawler.cabinet.codes import NoCode
from kaspi_crawler.cabinet.doors import told
from kaspi_crawler.cabinet.signing import Perseverance, SignedOut
from kaspi_crawler.middlewares.sessions import Sessions
from kaspi_crawler.turnstile import NotAsked
from partners.call import Call
from partners.kaspi.cabinet_login import CannotSignIn, WhyNot
from storage import accounts
from tests.partners.test_cabinet_login import BY_MAIL, Played, welcome
from tests.pipelines.leading import Stats

STORE, SISTER = MerchantId("30000001"), MerchantId("30000002")
THRICE = Perseverance(3, timedelta(minutes=1))


@pytest.mark.parametrize(
    ("tried", "error", "seconds"),
    [
        pytest.param(1, CannotSignIn(WhyNot.AWAY, ""), 60, id="away: again in a minute"),
        pytest.param(2, CannotSignIn(WhyNot.AWAY, ""), 120, id="and in two"),
        pytest.param(3, CannotSignIn(WhyNot.AWAY, ""), None, id="and no more"),
        pytest.param(1, CannotSignIn(WhyNot.AWAY, "", 300), 300, id="when it is asked to"),
        pytest.param(1, CannotSignIn(WhyNot.AWAY, "", 5), 60, id="but not sooner"),
        pytest.param(1, CannotSignIn(WhyNot.AWAY, "", 900), None, id="and not within the hour"),
        pytest.param(1, CannotSignIn(WhyNot.WRONG, ""), None, id="a wrong password never"),
        pytest.param(1, CannotSignIn(WhyNot.WRONG_CODE, ""), None, id="a wrong code never"),
        pytest.param(1, CannotSignIn(WhyNot.FLOOD, "", 60), None, id="too many codes: never"),
        pytest.param(1, CannotSignIn(WhyNot.REFUSED, ""), None, id="a refused address never"),
        pytest.param(1, CannotSignIn(WhyNot.NO_SESSION, ""), None, id="a wrong account never"),
    ],
)
def test_how_long_is_waited_before_the_next_try(
    tried: int, error: CannotSignIn, seconds: int | None
) -> None:
    wanted = None if seconds is None else timedelta(seconds=seconds)
    assert THRICE.pause_after(tried, error) == wanted


@pytest.mark.parametrize(
    ("error", "minutes"),
    [
        pytest.param(CannotSignIn(WhyNot.AWAY, ""), 5, id="away"),
        pytest.param(CannotSignIn(WhyNot.AWAY, "", 3_600), 60, id="away for an hour"),
        pytest.param(CannotSignIn(WhyNot.WRONG, ""), None, id="a wrong password"),
        pytest.param(NoCode("nobody"), None, id="no code"),
    ],
)
def test_how_long_a_store_is_left_alone(error: CannotSignIn | NoCode, minutes: int | None) -> None:
    wanted = None if minutes is None else timedelta(minutes=minutes)
    assert THRICE.left_alone(error) == wanted


class Marketplace:
    """Answers a crawl's questions: with `status` alone, or as the site does."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.asked = 0
        self._played = Played(welcome)
        self._slot = SimpleNamespace(closing=None)

    async def download_async(self, request: Request) -> Response:
        self.asked += 1
        if self.status is not None:
            return Response(request.url, status=self.status, body=b"<html>")
        headers = {name.decode(): value[0].decode() for name, value in request.headers.items()}
        heard = self._played.hear(
            Call(method=request.method, address=request.url, headers=headers, body=request.body)
        )
        told = {**heard.headers, "Set-Cookie": list(heard.cookies)}
        return Response(request.url, status=heard.status, body=heard.body, headers=told)


@pytest.fixture
def marketplace() -> Marketplace:
    return Marketplace()


@pytest.fixture
def stats() -> Stats:
    return Stats()


@pytest.fixture
def sessions(database: str, marketplace: Marketplace, stats: Stats) -> Sessions:
    """The middleware of a crawl with one account; pauses are some milliseconds long."""
    key = Fernet.generate_key().decode()
    accounts.add(database, STORE, told(BY_MAIL), key)
    settings = {
        "DATABASE_URL": database, "DATA_DIR": "unused", "KASPI_SECRET_KEY": key,
        "KASPI_URL": "https://kaspi.example", "MC_URL": "https://mc.example",
        "IDMC_URL": "https://idmc.example", "STORE_PATIENCE": 5, "CODE_PATIENCE": 5,
        "SIGN_IN_TRIES": 2, "SIGN_IN_PAUSE": 0.02,
    }  # fmt: skip
    crawler: Any = SimpleNamespace(settings=Settings(settings), stats=stats, engine=marketplace)
    return Sessions(crawler)


async def carried(sessions: Sessions, store: MerchantId = STORE) -> bytes:
    """The cookies with which a question of the store leaves. Raises SignedOut."""
    request = Request("https://mc.example/s/m", meta={"account": store})
    waits = sessions.process_request(request)
    assert waits is not None
    await waits
    return request.headers["Cookie"] or b""


async def test_a_store_is_asked_again_some_time_after_the_marketplace_was_away(
    sessions: Sessions, marketplace: Marketplace, stats: Stats
) -> None:
    marketplace.status = 503
    with pytest.raises(SignedOut, match="tried again by itself"):
        await carried(sessions)
    asked = marketplace.asked
    with pytest.raises(SignedOut):
        await carried(sessions)
    assert marketplace.asked == asked, "at once it is not asked at all"
    marketplace.status = None
    await asyncio.sleep(0.15)
    assert b"mc-sid=session" in await carried(sessions)
    assert not dict(stats)[f"signed_out/{STORE}"], "and no alarm tells of it"


async def test_a_store_that_the_account_does_not_see_shuts_no_other(
    sessions: Sessions, database: str
) -> None:
    """A mistyped number: the account is right, and opens the store that it sees."""
    mistyped = MerchantId("30000009")
    accounts.add(database, mistyped, told(BY_MAIL), sessions._book.key)
    wrong = Request("https://mc.example/s/m", meta={"account": mistyped})
    waits = sessions.process_request(wrong)
    assert waits is not None
    with pytest.raises(SignedOut, match=f"sees {STORE}.*scrapy shop remove {mistyped}"):
        await waits
    found = {one.store: one for one in accounts.kept(database)}
    assert (found[STORE].failure, bool(found[STORE].session)) == (None, True)
    assert f"scrapy shop remove {mistyped}" in (found[mistyped].failure or "")
    assert b"mc-sid=session" in await carried(sessions)


async def test_a_store_that_was_refused_is_not_asked_again(
    sessions: Sessions, marketplace: Marketplace
) -> None:
    marketplace.status = 403
    with pytest.raises(SignedOut):
        await carried(sessions)
    marketplace.status, asked = None, marketplace.asked
    await asyncio.sleep(0.15)
    with pytest.raises(SignedOut):
        await carried(sessions)
    assert marketplace.asked == asked


@pytest.mark.parametrize(
    "emails",
    [
        pytest.param([f"user-{n}@example.kz" for n in range(8)], id="of many accounts"),
        pytest.param([BY_MAIL.email] * 8, id="of one account"),
    ],
)
async def test_stores_in_sign_in_hold_up_none_that_has_a_session(
    sessions: Sessions, marketplace: Marketplace, database: str, emails: list[str]
) -> None:
    """A sign-in waits for minutes, between its tries and for codes."""
    sessions._crawler.settings.set("SIGN_IN_PAUSE", 3_600)
    marketplace.status = 503
    await sessions._book.signed_in([STORE], "kept")
    others = [MerchantId(f"3100000{n}") for n, _ in enumerate(emails)]
    for store, email in zip(others, emails, strict=True):
        account = attrs.evolve(BY_MAIL, email=email)
        accounts.add(database, store, told(account), sessions._book.key)
    async with asyncio.timeout(20):
        waiting = [asyncio.create_task(carried(sessions, store)) for store in others]
        while marketplace.asked < min(6, len(set(emails))):  # noqa: ASYNC110  (of the crawl)
            await asyncio.sleep(0.01)
        assert await carried(sessions) == b"kept"
    marketplace._slot.closing = True
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in ended} == {NotAsked}


async def test_a_store_whose_account_rests_is_asked_again_after_it(
    sessions: Sessions, marketplace: Marketplace
) -> None:
    """The rest of an account holds for all its stores, whichever of them was answered so."""
    rest = timedelta(seconds=1)
    await sessions._book.failed([STORE], "the marketplace is away", rest)
    with pytest.raises(SignedOut):
        await carried(sessions)
    assert not marketplace.asked
    await asyncio.sleep(rest.total_seconds())
    assert b"mc-sid=session" in await carried(sessions)


async def test_what_a_person_must_mend_is_not_tried_again_for_another_store_of_the_account(
    sessions: Sessions, marketplace: Marketplace, database: str
) -> None:
    accounts.add(database, SISTER, told(BY_MAIL), sessions._book.key)
    marketplace.status = 403
    for store in (STORE, SISTER):
        with pytest.raises(SignedOut):
            await carried(sessions, store)
    accounts.wake(database, [STORE, SISTER])
    marketplace.status, asked = None, marketplace.asked
    with pytest.raises(SignedOut):
        await carried(sessions, SISTER)
    assert marketplace.asked == asked
