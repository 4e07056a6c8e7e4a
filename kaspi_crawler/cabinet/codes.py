"""Where the codes of a sign-in come from: a person at the terminal, or a command."""

import os
import re
import select
import shlex
import subprocess
import sys
from collections.abc import Mapping

import attrs

from domain.identity import MerchantId
from partners.kaspi.cabinet_login import CodeWanted

#: Letters and digits: none of the codes that were seen has others.
_CODE = re.compile(r"[0-9A-Za-z]{3,12}")
#: What no command needs in order to find a code.
_SECRETS = ("KASPI_SECRET_KEY", "KASPI_SHOP_PASSWORD", "DATABASE_URL", "ALERT_WEBHOOK_URL")


class NoCode(Exception):
    """Nobody said the code; the text says why."""


@attrs.frozen(kw_only=True)
class Codes:
    """Asks the person at the terminal, when there is one, or else the command.

    `patience` is in seconds.
    """

    command: str
    patience: float

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
        ready, _, _ = select.select([sys.stdin], [], [], self.patience)
        if not ready:
            raise NoCode(f"nobody typed the code within {self.patience:.0f} s")
        return sys.stdin.readline()

    def _printed(self, store: MerchantId, wanted: CodeWanted) -> str:
        try:
            done = subprocess.run(  # noqa: S603  (the command is the owner's own)
                shlex.split(self.command),
                env=_environment(store, wanted),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=self.patience,
                check=False,
                text=True,
            )
        except subprocess.TimeoutExpired:
            raise NoCode(f"KASPI_CODE_COMMAND took longer than {self.patience:.0f} s") from None
        except (OSError, ValueError) as error:
            raise NoCode(f"KASPI_CODE_COMMAND cannot be run: {error}") from None
        if done.returncode:
            raise NoCode(f"KASPI_CODE_COMMAND ended with {done.returncode}")
        return done.stdout


def _environment(store: MerchantId, wanted: CodeWanted) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    about = {"KASPI_CODE_STORE": store, "KASPI_CODE_KIND": str(wanted.by)}
    return {**inherited, **about, "KASPI_CODE_SENT_TO": wanted.sent_to}


def _checked(said: str, what: str) -> str:
    code = said.strip()
    if not _CODE.fullmatch(code):
        raise NoCode(f"{what} is no code: a right one is 123456")
    return code
