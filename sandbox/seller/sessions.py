"""Sessions of both hosts: who is signed in, since when, and until when."""

import secrets
from collections.abc import Callable

import attrs

from sandbox.seller.accounts import Account


@attrs.define
class SignOn:
    """One MS_AUTH_SSO: how far a sign-in has come. `account` is set when it is through."""

    id: str
    account: Account | None = None
    asking: Account | None = None
    code: str | None = None
    wrong_codes: int = 0

    def expect(self, account: Account, code: str) -> None:
        """Wait for the code that was sent to an account."""
        self.asking, self.code, self.wrong_codes = account, code, 0

    def sign_in(self, account: Account) -> None:
        """Let somebody in."""
        self.account, self.asking, self.code = account, None, None


@attrs.frozen
class Session:
    """One mc-sid, begun at a second of the clock of limits."""

    id: str
    account: Account
    began: float


@attrs.define
class Sessions:
    """All that were begun and not ended; `clock` is in seconds."""

    clock: Callable[[], float]
    sign_ons: dict[str, SignOn] = attrs.Factory(dict)
    cabinets: dict[str, Session] = attrs.Factory(dict)
    #: One-time codes on their way from the sign-in to the cabinet.
    _tickets: dict[str, Account] = attrs.Factory(dict)
    ended: int = 0

    def sign_on(self, id: str | None) -> SignOn | None:  # noqa: A002
        """The sign-in with that cookie, or None."""
        return self.sign_ons.get(id or "")

    def begin_sign_on(self) -> SignOn:
        """A new one."""
        made = SignOn(secrets.token_hex(16))
        self.sign_ons[made.id] = made
        return made

    def ticket(self, account: Account) -> str:
        """A code that lets somebody into the cabinet, once."""
        code = secrets.token_urlsafe(24)
        self._tickets[code] = account
        return code

    def enter(self, ticket: str) -> Session | None:
        """Begin a session of the cabinet for a ticket, or None if it is none."""
        account = self._tickets.pop(ticket, None)
        if account is None:
            return None
        session = Session(secrets.token_urlsafe(32), account, self.clock())
        self.cabinets[session.id] = session
        return session

    def cabinet(self, id: str | None, minutes: float | None) -> Session | None:  # noqa: A002
        """The session with that cookie, or None if it is over or older than so many minutes."""
        session = self.cabinets.get(id or "")
        if session and minutes is not None and self.clock() >= session.began + minutes * 60:
            self.end(session)
            return None
        return session

    def end(self, session: Session) -> None:
        """End a session of the cabinet, and the sign-in's with it: a new walk asks everything."""
        self.ended += self.cabinets.pop(session.id, None) is not None
        for known in list(self.sign_ons.values()):
            if known.account == session.account:
                del self.sign_ons[known.id]

    def end_all(self, email: str | None = None) -> int:
        """End every session, or those of one account; say how many."""
        over = [one for one in self.cabinets.values() if email in {None, one.account.email}]
        for session in over:
            self.end(session)
        return len(over)
