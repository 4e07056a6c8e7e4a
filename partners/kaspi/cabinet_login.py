"""How an account signs in to the merchant cabinet: a walk of questions, each led by an answer.

The walk is that of the site's own page, as recorded in 2026-08: by e-mail and password, with a
code by mail when the marketplace wants one, or by phone with a code by SMS.
"""

import json
import re
from collections.abc import Generator, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urljoin, urlsplit

import attrs

from domain.identity import MerchantId
from partners.call import Answer, Call
from partners.kaspi.storefront import USER_AGENT

#: The walk goes over six redirections; a circle has no end.
_MOST_HOPS = 12
_AUTHORIZE = "/oauth2/authorization/1"
#: A wait of more digits is no wait.
_SECONDS = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_FLOODS = {"MFA_SEND_FLOOD", "MFA_CODE_TOO_MANY_SEND"}


class By(StrEnum):
    """How a code comes."""

    MAIL = "mail"
    SMS = "sms"


class WhyNot(StrEnum):
    """Why a sign-in came to nothing. AWAY may pass by itself; all others want a change."""

    WRONG = "wrong"
    WRONG_CODE = "wrong_code"
    FLOOD = "flood"
    NO_SESSION = "no_session"
    REFUSED = "refused"
    AWAY = "away"


class CannotSignIn(Exception):
    """A sign-in that came to nothing. `pause` is how many seconds one must wait."""

    def __init__(self, why: WhyNot, detail: str, pause: int | None = None) -> None:
        super().__init__(detail)
        self.why, self.pause = why, pause


@attrs.frozen(kw_only=True)
class Account:
    """Who signs in: an e-mail with its password, or a phone as +7 (700) 000-00-00."""

    email: str = ""
    password: str = attrs.field(default="", repr=False)
    phone: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class CodeWanted:
    """The walk goes on when somebody says the code that was sent there, partly hidden."""

    by: By
    sent_to: str


@attrs.frozen(kw_only=True)
class Session:
    """A signed-in account: its cookies for the cabinet, as a header, and the stores it may see."""

    cookies: str = attrs.field(repr=False)
    stores: tuple[MerchantId, ...]


#: A walk asks with calls and for codes, hears answers and codes, and ends with a session.
Walk = Generator[Call | CodeWanted, Any, Session]


@attrs.frozen(kw_only=True)
class Doors:
    """The addresses of the cabinet and of the place where accounts are known."""

    cabinet: str
    accounts: str


@attrs.define
class _Jar:
    """Cookies by the host and the path that they are meant for."""

    _held: dict[tuple[str, str], dict[str, str]] = attrs.Factory(dict)

    def keep(self, answer: Answer) -> None:
        host = urlsplit(answer.address).hostname or ""
        for line in answer.cookies:
            pair, *more = line.split(";")
            name, equals, value = pair.strip().partition("=")
            if not equals:
                continue
            domain = _said_of("domain", more).lstrip(".").casefold() or host
            path = _said_of("path", more).rstrip("/")
            held = self._held.setdefault((domain, path), {})
            if value:
                held[name] = value
            else:
                held.pop(name, None)

    def told(self, address: str) -> str:
        to = urlsplit(address)
        host, way = to.hostname or "", f"{to.path}/"
        found: dict[str, str] = {}
        for (domain, path), held in self._held.items():
            if (host == domain or host.endswith(f".{domain}")) and way.startswith(f"{path}/"):
                found |= held
        return "; ".join(f"{name}={value}" for name, value in found.items())


def _said_of(wanted: str, attributes: list[str]) -> str:
    """What a cookie says of its domain or its path; nothing when it does not."""
    for attribute in attributes:
        name, _, value = attribute.strip().partition("=")
        if name.casefold() == wanted:
            return value.strip()
    return ""


def sign_in(doors: Doors, account: Account) -> Walk:
    """Walk to a session. Yields calls, to be sent without following redirections, and CodeWanted.

    Raises CannotSignIn.
    """
    jar = _Jar()
    yield from _ask(jar, _get(doors.cabinet + "/"))
    yield from _through(doors, jar)
    yield from _known(doors, jar, account)
    yield from _through(doors, jar)
    answer = yield from _ask(jar, _get(f"{doors.cabinet}/s/m"))
    said = _json(answer)
    if answer.status != 200 or not said.get("merchants"):
        raise _unexpected("signed in, but /s/m", answer, WhyNot.NO_SESSION)
    stores = tuple(MerchantId(str(one.get("uid"))) for one in said["merchants"])
    return Session(cookies=jar.told(doors.cabinet), stores=stores)


def _known(doors: Doors, jar: _Jar, account: Account) -> Generator[Any, Any, None]:
    """Say who we are, and the code when one is wanted."""
    login = f"{doors.accounts}/api/p/login"
    first: dict[str, object] = {"_ph": account.phone}
    if not account.phone:
        first = {"_u": account.email, "_p": account.password, "_r_d": False}
    said = yield from _said(jar, _post(doors, login, first), WhyNot.WRONG)
    if "redirectUrl" in said:
        return
    sent_to = said.get("phone") or said.get("email")
    if not isinstance(sent_to, str):
        raise CannotSignIn(WhyNot.REFUSED, f"the login answers {sorted(said)}")
    code = yield CodeWanted(by=By.SMS if account.phone else By.MAIL, sent_to=sent_to)
    second: dict[str, object] = {"_c": code}
    if not account.phone:
        second = {"_u": account.email, "_m_c": code, "_r_d": True}
    said = yield from _said(jar, _post(doors, login, second), WhyNot.WRONG_CODE)
    if "redirectUrl" not in said:
        raise CannotSignIn(WhyNot.WRONG_CODE, "the code was not accepted")


def _said(jar: _Jar, call: Call, wrong: WhyNot) -> Generator[Any, Any, dict[str, Any]]:
    answer = yield from _ask(jar, call)
    said = _json(answer)
    if answer.status == 200 and said:
        return said
    code = str(said.get("errorCode", ""))
    if code in _FLOODS:
        pause = _seconds(said.get("errorData"))
        raise CannotSignIn(WhyNot.FLOOD, f"too many codes were sent ({code})", pause)
    if answer.status in {400, 401, 403} and said:
        raise CannotSignIn(wrong, f"the login answers {answer.status} {code}".strip())
    raise _unexpected("the login", answer)


def _unexpected(what: str, answer: Answer, why: WhyNot = WhyNot.REFUSED) -> CannotSignIn:
    """The error for an answer that is none of this conversation's."""
    told = f"{what} answers {_plainly(answer)}"
    if not is_away(answer.status):
        return CannotSignIn(why, told)
    asked = answer.headers.get("retry-after", "")
    return CannotSignIn(WhyNot.AWAY, told, int(asked) if _SECONDS.fullmatch(asked) else None)


def is_away(status: int) -> bool:
    """Whether an answer says that the marketplace cannot be spoken to now, and nothing of us."""
    return status == 429 or status >= 500


def _plainly(answer: Answer) -> str:
    """A refusal in words; a 200 in place of a login is one, too."""
    if answer.status == 429:
        return "429: it is asked too much from this machine, or from its proxy"
    if answer.status == 403:
        return (
            f"{answer.status}: the address of this machine, or of its proxy, is refused: "
            "sign in from another one"
        )
    if answer.status >= 500:
        return f"{answer.status}: the marketplace is in trouble, try again later"
    return f"{answer.status} and a page, which is no login"


def _seconds(said: object) -> int | None:
    pause = said.get("breakTimeSeconds") if isinstance(said, Mapping) else None
    return pause if isinstance(pause, int) and pause > 0 else None


def _through(doors: Doors, jar: _Jar) -> Generator[Any, Any, None]:
    """From the cabinet's door wherever it leads, as long as that is the cabinet or the accounts."""
    address = doors.cabinet + _AUTHORIZE
    for _ in range(_MOST_HOPS):
        answer = yield from _ask(jar, _get(address))
        if not 300 <= answer.status < 400:
            if answer.status != 200:
                raise _unexpected(_path(address), answer)
            return
        address = urljoin(address, answer.headers.get("location", ""))
        if not address.startswith((f"{doors.cabinet}/", f"{doors.accounts}/")):
            return
    raise CannotSignIn(WhyNot.REFUSED, f"the way in has no end: {_path(address)}")


def _ask(jar: _Jar, call: Call) -> Generator[Any, Any, Answer]:
    cookies = jar.told(call.address)
    if cookies:
        call = attrs.evolve(call, headers={**call.headers, "Cookie": cookies})
    answer: Answer = yield call
    jar.keep(answer)
    return answer


def _get(address: str) -> Call:
    headers = {"User-Agent": USER_AGENT, "Accept": "text/html,application/json,*/*"}
    return Call(method="GET", address=address, headers=headers)


def _post(doors: Doors, address: str, said: Mapping[str, object]) -> Call:
    headers = {
        "User-Agent": USER_AGENT,
        "Accept": "application/json, text/plain, */*",
        "Content-Type": "application/json",
        "Origin": doors.accounts,
        "Referer": f"{doors.accounts}/login",
    }
    body = json.dumps(said).encode()
    return Call(method="POST", address=address, headers=headers, body=body)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _path(address: str) -> str:
    """Where it was, without what a query may give away."""
    return urlsplit(address).path
