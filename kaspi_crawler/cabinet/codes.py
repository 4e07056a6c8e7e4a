"""Where the codes of a sign-in come from: a person at the terminal, or a command."""

import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import attrs

from domain.identity import MerchantId
from partners.kaspi.cabinet_login import CodeWanted

#: Letters and digits: none of the codes that were seen has others.
_CODE = re.compile(r"[0-9A-Za-z]{3,12}")
#: Seconds between two looks at whether the crawl is about to end.
_GLANCE = 0.2
#: What no command needs in order to find a code.
_SECRETS = ("KASPI_SECRET_KEY", "KASPI_SHOP_PASSWORD", "DATABASE_URL", "ALERT_WEBHOOK_URL")


class NoCode(Exception):
    """Nobody said the code; the text says why."""


@attrs.frozen(kw_only=True)
class Codes:
    """Asks the person at the terminal, when there is one, or else the command.

    `patience` is in seconds; nothing is waited for any longer when `is_closing`.
    """

    command: str
    patience: float
    is_closing: Callable[[], bool] = lambda: False

    def ask(self, store: MerchantId, wanted: CodeWanted) -> str:
        """The code that was sent; this waits. Raises NoCode."""
        if sys.stdin.isatty() and sys.stderr.isatty():
            return _checked(self._typed(store, wanted), "what was typed")
        if self.command:
            return _checked(self._printed(store, wanted), "what KASPI_CODE_COMMAND printed")
        raise NoCode(
            f"a code was sent by {wanted.by} to {wanted.sent_to}, and there is nobody to type it"
        )

    def _typed(self, store: MerchantId, wanted: CodeWanted) -> str:
        sys.stderr.write(f"Store {store}: code sent by {wanted.by} to {wanted.sent_to}: ")
        sys.stderr.flush()
        deadline = time.monotonic() + self.patience
        while not select.select([sys.stdin], [], [], _GLANCE)[0]:
            if self._is_late(deadline):
                raise NoCode(f"nobody typed the code within {self.patience:.0f} s")
        return sys.stdin.readline()

    def _printed(self, store: MerchantId, wanted: CodeWanted) -> str:
        try:
            process = subprocess.Popen(  # noqa: S603  (the command is the owner's own)
                shlex.split(self.command),
                env=_environment(store, wanted),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                start_new_session=True,
                text=True,
            )
        except (OSError, ValueError, IndexError) as error:
            raise NoCode(f"KASPI_CODE_COMMAND cannot be run: {error}") from None
        with process:
            said = self._heard(process)
        if process.returncode:
            raise NoCode(f"KASPI_CODE_COMMAND ended with {process.returncode}")
        return said

    def _heard(self, process: subprocess.Popen[str]) -> str:
        """What a command prints; one that takes too long is ended with all that it started."""
        deadline = time.monotonic() + self.patience
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=_GLANCE)[0]
            if self._is_late(deadline):
                os.killpg(process.pid, signal.SIGKILL)
                raise NoCode(f"KASPI_CODE_COMMAND took longer than {self.patience:.0f} s")

    def _is_late(self, deadline: float) -> bool:
        return self.is_closing() or time.monotonic() > deadline


def _environment(store: MerchantId, wanted: CodeWanted) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    about = {"KASPI_CODE_STORE": store, "KASPI_CODE_KIND": str(wanted.by)}
    return {**inherited, **about, "KASPI_CODE_SENT_TO": wanted.sent_to}


def _checked(said: str, what: str) -> str:
    code = said.strip()
    if not _CODE.fullmatch(code):
        raise NoCode(f"{what} is no code: a right one is 123456")
    return code
