"""Walks a sign-in through the crawl's own downloader, and says what came of it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

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
}
_WITHOUT_CODE = timedelta(days=1)
_REMEDIES = {
    WhyNot.WRONG: "Say the right ones: scrapy shop add {store}",
    WhyNot.FLOOD: "It is tried again after that",
}
_TRY = "Try it at once: scrapy shop login {store}"
_AT_A_TERMINAL = "At a terminal: scrapy shop login {store}; else set KASPI_CODE_COMMAND"


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


def failure_of(error: CannotSignIn | NoCode, store: MerchantId) -> tuple[str, timedelta]:
    """What to write down of a sign-in that came to nothing, and how long to wait."""
    if isinstance(error, NoCode):
        return f"{error}. {_AT_A_TERMINAL.format(store=store)}", _WITHOUT_CODE
    remedy = _REMEDIES.get(error.why, _TRY).format(store=store)
    rest = _RESTS[error.why] if error.pause is None else timedelta(seconds=error.pause)
    told = f", {error.pause} s are to be waited" if error.pause else ""
    return f"{error}{told}. {remedy}", rest
