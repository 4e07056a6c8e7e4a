"""The cabinet's way in: its side of the walk, and whose session a call is."""

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import attrs
from aiohttp import web

from domain.identity import MerchantId
from sandbox.giving import SIGNED_OUT
from sandbox.seller.hosts import CABINET_PAGE, IDMC, MC, found, json_reply, origin, page
from sandbox.seller.sessions import Session, Sessions
from sandbox.seller.shelf import Shelf
from sandbox.seller.switches import SellerSwitches
from sandbox.world import World

SESSION_COOKIE, REQUEST_COOKIE, BALANCER_COOKIE = "mc-sid", "mc_arr", "mc-session"
Known = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Answer = TypeVar("_Answer", bound=web.StreamResponse)


@attrs.frozen
class Entrance:
    """Handlers of the walk, and the guard of every other call."""

    sessions: Sessions
    world: World
    shelves: dict[MerchantId, Shelf]
    switches: Callable[[], SellerSwitches]
    #: The questions that are open: mc_arr's value, and the path to return to.
    _asked: dict[str, str] = attrs.Factory(dict)

    def routes(self) -> list[web.RouteDef]:
        """The walk's paths, and the page at its end."""
        return [
            web.get(f"{MC}/", self.front),
            web.get(f"{MC}/oauth2/authorization/1", self.begin),
            web.get(f"{MC}/login/oauth2/code/1", self.end),
            web.get(f"{MC}/s/m", self.guarded(self.merchants, versioned=False)),
            web.get(CABINET_PAGE, self.cabinet),
        ]

    async def front(self, request: web.Request) -> web.Response:
        """The host's root: to the cabinet's page, or to the way in."""
        if self._session(request):
            return found(f"{origin(request)}{CABINET_PAGE}")
        return self._known_to_balancer(request, self._way_in(request))

    async def begin(self, request: web.Request) -> web.Response:
        """Send the client to the sign-in with a question that is remembered in mc_arr."""
        state = secrets.token_urlsafe(24)
        challenge = hashlib.sha256(secrets.token_bytes(32)).digest()
        asked = {
            "response_type": "code",
            "client_id": "1",
            "scope": "openid",
            "state": state,
            "redirect_uri": f"{origin(request)}{MC}/login/oauth2/code/1",
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        answer = found(f"{origin(request)}{IDMC}/oauth2/authorize?{urlencode(asked)}")
        back = urlsplit(request.query.get("redirectUrl", CABINET_PAGE)).path or CABINET_PAGE
        self._asked[state] = back
        answer.set_cookie(REQUEST_COOKIE, state, path=MC, httponly=True)
        return self._known_to_balancer(request, answer)

    async def end(self, request: web.Request) -> web.Response:
        """Let in who comes back with a code for the question that this client asked."""
        state = request.cookies.get(REQUEST_COOKIE, "")
        back = self._asked.pop(state, None) if state == request.query.get("state") else None
        session = self.sessions.enter(request.query.get("code", "")) if back else None
        if session is None:
            return self._known_to_balancer(request, self._way_in(request))
        answer = found(f"{origin(request)}{back}")
        answer.set_cookie(SESSION_COOKIE, session.id, path=MC, httponly=True)
        answer.del_cookie(REQUEST_COOKIE, path=MC)
        return answer

    async def merchants(self, request: web.Request, session: Session) -> web.Response:  # noqa: ARG002
        """The stores of whoever is signed in."""
        return json_reply({"merchants": [{"uid": uid} for uid in session.account.merchants]})

    async def cabinet(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """The page at the walk's end: its bar is how browsers know that they are in."""
        return page("Кабинет продавца", '<nav class="navbar">Кабинет продавца</nav>')

    def guarded(self, handler: Known, *, versioned: bool = True) -> Handler:
        """Let only signed-in clients through; `versioned` calls need x-auth-version as well."""

        async def checked(request: web.Request) -> web.StreamResponse:
            session = self._session(request)
            if session is None:
                return self._known_to_balancer(request, self._gone(request))
            if versioned and self.switches().auth_version and not _version(request):
                return json_reply({}, status=403)
            return self._known_to_balancer(request, await handler(request, session))

        return checked

    def shelf(self, session: Session, uid: str | None) -> Shelf:
        """The store that a call names. Raises HTTPForbidden if it is not the account's."""
        merchant = MerchantId(uid or "")
        if merchant not in session.account.merchants:
            raise web.HTTPForbidden(text="{}", content_type="application/json")
        return self.shelves[merchant]

    def now(self) -> datetime:
        """The sandbox's moment."""
        return self.world.now

    def _session(self, request: web.Request) -> Session | None:
        known = request.cookies.get(SESSION_COOKIE)
        session = self.sessions.cabinet(known, self.switches().session_minutes)
        if session and request.get(SIGNED_OUT):
            self.sessions.end(session)
            return None
        return session

    def _gone(self, request: web.Request) -> web.Response:
        if self.switches().gone_session == "redirect":
            return self._way_in(request)
        return web.Response(status=401)

    def _way_in(self, request: web.Request) -> web.Response:
        return found(f"{origin(request)}{MC}/oauth2/authorization/1")

    def _known_to_balancer(self, request: web.Request, answer: _Answer) -> _Answer:
        """Give the balancer's cookie to who has none, let in or not: it proves nothing."""
        if BALANCER_COOKIE not in request.cookies:
            answer.set_cookie(BALANCER_COOKIE, secrets.token_hex(16), path=MC)
        return answer


def _version(request: web.Request) -> bool:
    return request.headers.get("x-auth-version") == "3"
