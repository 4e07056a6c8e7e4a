"""Walks a sign-in through the crawl's own downloader, and says what came of it."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

import attrs
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from domain.identity import MerchantId
from kaspi_crawler.cabinet.codes import NoCode
from partners.call import Answer, Call
from partners.kaspi.cabinet_login import CannotSignIn, CodeWanted, Session, Walk, WhyNot

#: How long no sign-in is tried after one that came to nothing, unless the answer says it. What a
#: person must mend is not tried again every quarter of an hour; `scrapy shop login` does not wait.
_RESTS = {
    WhyNot.WRONG: timedelta(days=1),
    WhyNot.WRONG_CODE: timedelta(minutes=10),
    WhyNot.FLOOD: timedelta(minutes=1),
    WhyNot.NO_SESSION: timedelta(minutes=5),
    WhyNot.REFUSED: timedelta(minutes=1),
    WhyNot.AWAY: timedelta(0),
}
_WITHOUT_CODE = timedelta(days=1)
#: A store that its account does not see is not asked for sooner: a sign-in may cost a code.
UNSEEN_RESTS = timedelta(days=1)
#: A crawl waits no longer for a marketplace that says how long it will be away.
_LONGEST_PAUSE = timedelta(minutes=10)
#: A store whose sign-in was tried in vain is left alone so many pauses long.
_LEFT_ALONE = 5
_REMEDIES = {
    WhyNot.WRONG: "Say the right ones: scrapy shop add {store}",
    WhyNot.FLOOD: "It is tried again after that",
    WhyNot.AWAY: "It is tried again by itself",
}
_TRY = "Try it at once: scrapy shop login {store}"
_AT_A_TERMINAL = "At a terminal: scrapy shop login {store}; else set KASPI_CODE_COMMAND"


@attrs.frozen
class Perseverance:
    """How often a sign-in is tried while the marketplace is away, and the first pause between.

    Each pause is twice as long as the one before. Nothing else is tried twice: the account would
    be locked after a few wrong passwords, and people get a code with each.
    """

    tries: int
    pause: timedelta

    def pause_after(self, tried: int, error: CannotSignIn) -> timedelta | None:
        """How long to wait after so many tries; None: nothing more is tried."""
        asked = timedelta(seconds=error.pause or 0)
        if error.why is not WhyNot.AWAY or tried >= self.tries or asked > _LONGEST_PAUSE:
            return None
        return max(asked, self.pause * (1 << (tried - 1)))

    def left_alone(self, error: CannotSignIn | NoCode) -> timedelta | None:
        """How long a crawl leaves the store alone; None: until it ends."""
        if not isinstance(error, CannotSignIn) or error.why is not WhyNot.AWAY:
            return None
        return max(self.pause * _LEFT_ALONE, timedelta(seconds=error.pause or 0))


class SignedOut(IgnoreRequest):
    """A store's account is signed out, and could not be signed in; the text says why."""

    def __init__(self, store: MerchantId, why: str) -> None:
        super().__init__(f"the cabinet of store {store} is shut: {why}")
        self.store, self.why = store, why


async def walked(
    walk: Walk,
    ask: Callable[[Call], Awaitable[Answer]],
    code: Callable[[CodeWanted], Awaitable[str]],
) -> Session:
    """Go through a sign-in to its end. Raises CannotSignIn, and what `ask` and `code` raise."""
    heard: Answer | str | None = None
    while True:
        try:
            wanted = walk.send(heard)
        except StopIteration as end:
            session: Session = end.value
            return session
        heard = await (ask(wanted) if isinstance(wanted, Call) else code(wanted))


def request_of(call: Call, exit_name: str | None) -> Request:
    """A step of the walk. What sends a code, or spends one, goes out once and stands in no log."""
    spends = call.method == "POST" or "code=" in call.address
    meta: dict[str, object] = {"kind": "cabinet", "wants": call.wants, "unlogged": True}
    if exit_name is not None:
        meta["exit"] = exit_name
    if spends:
        meta["dont_retry"] = True
    return Request(
        call.address,
        method=call.method,
        headers=dict(call.headers),
        body=call.body,
        meta=meta,
        dont_filter=True,
    )


def whole_answer(response: Response) -> Answer:
    """The response with all its headers and cookies, which a walk lives by."""
    headers = {
        name.decode("latin-1").lower(): (response.headers[name] or b"").decode("latin-1")
        for name in response.headers
    }
    cookies = tuple(line.decode("latin-1") for line in response.headers.getlist("Set-Cookie"))
    return Answer(
        status=response.status,
        body=response.body,
        address=response.url,
        headers=headers,
        cookies=cookies,
    )


def unseen(store: MerchantId, seen: Iterable[MerchantId]) -> str:
    """What to write down of a store that the account which opened does not see."""
    return (
        f"the account sees {', '.join(seen)}, and not this store. If its number is mistyped: scrapy"
        f" shop remove {store}; else let the account see it, then: scrapy shop login {store}"
    )


def failure_of(error: CannotSignIn | NoCode, store: MerchantId) -> tuple[str, timedelta]:
    """What to write down of a sign-in that came to nothing, and how long to wait."""
    if isinstance(error, NoCode):
        return f"{error}. {_AT_A_TERMINAL.format(store=store)}", _WITHOUT_CODE
    remedy = _REMEDIES.get(error.why, _TRY).format(store=store)
    rest = _RESTS[error.why] if error.pause is None else timedelta(seconds=error.pause)
    told = f", {error.pause} s are to be waited" if error.pause else ""
    return f"{error}{told}. {remedy}", rest
