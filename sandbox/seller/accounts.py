"""Who may sign in: e-mail, phone, password, the stores of each, and the codes that are sent."""

import re
import secrets
from collections.abc import Callable, Sequence

import attrs

from domain.identity import MerchantId


@attrs.frozen(kw_only=True)
class Account:
    """One person's way in. `phone` is ten digits without the country's 7."""

    email: str
    phone: str
    password: str
    merchants: tuple[MerchantId, ...]

    @property
    def masked(self) -> str:
        """The e-mail as the sign-in shows it: use***@example.kz."""
        name, _, host = self.email.partition("@")
        return f"{name[:3]}***@{host}"


def accounts(stores: Sequence[Sequence[MerchantId]], password: str) -> tuple[Account, ...]:
    """An account for each group of stores: user@example.kz, then user2@example.kz and so on."""
    return tuple(
        Account(
            email=f"user{index + 1 if index else ''}@example.kz",
            phone=f"{7_000_000_000 + index}",
            password=password,
            merchants=tuple(group),
        )
        for index, group in enumerate(stores)
    )


def phone_digits(text: str) -> str:
    """A phone's last ten digits, however it is written: +7 (700) 000-00-00."""
    return re.sub(r"\D", "", text)[-10:]


class Flood(Exception):
    """Codes were asked for too soon or too often; `seconds` is how long to wait."""

    def __init__(self, error: str, seconds: float) -> None:
        super().__init__(f"{error}: wait {seconds:.0f} s")
        self.error, self.seconds = error, seconds


@attrs.frozen(kw_only=True)
class Letter:
    """A code on its way: to an e-mail or a phone, sent at a second of the clock of limits."""

    to: str
    code: str
    at: float


@attrs.define
class Mailbox:
    """Every code that was sent, the latest last; `clock` is in seconds."""

    clock: Callable[[], float]
    letters: list[Letter] = attrs.Factory(list)

    def send(self, to: str, pause: float, an_hour: int) -> str:
        """Send a code. Raises Flood when the last one is too recent or there were too many."""
        now = self.clock()
        sent = [letter.at for letter in self.letters if letter.to == to and letter.at > now - 3600]
        if sent and now < sent[-1] + pause:
            raise Flood("MFA_SEND_FLOOD", sent[-1] + pause - now)
        if len(sent) >= an_hour:
            raise Flood("MFA_CODE_TOO_MANY_SEND", sent[-an_hour] + 3600 - now)
        code = f"{secrets.randbelow(1_000_000):06d}"
        self.letters.append(Letter(to=to, code=code, at=now))
        return code
