"""Scrapyd over the network: one question, one answer, and never a wait without an end."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import aiohttp
import attrs
from scrapy.settings import BaseSettings

from partners.call import Answer, Call
from partners.scrapyd import Scrapyd

T = TypeVar("T")

#: Seconds that scrapyd may take: it starts a Python for a project that it has not seen yet.
PATIENCE = 30.0
USERNAME = "kaspi"


class DaemonAway(RuntimeError):
    """Scrapyd does not answer; the text says where."""


@attrs.frozen
class Daemon:
    """Asks a scrapyd."""

    scrapyd: Scrapyd
    patience: float = PATIENCE

    async def ask(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Send a call and read its answer. Raises DaemonAway, DaemonRefuses."""
        timeout = aiohttp.ClientTimeout(total=self.patience)
        try:
            # No proxy of the environment stands between us and scrapyd.
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.request(
                    call.method, call.address, headers=call.headers, data=call.body or None
                ) as response,
            ):
                answer = Answer(
                    status=response.status,
                    body=await response.read(),
                    address=self.scrapyd.address,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DaemonAway(
                f"scrapyd does not answer at {self.scrapyd.address}"
                f" ({str(error) or type(error).__name__}): start it with `scrapy daemon`"
            ) from error
        return read(answer)


def scrapyd_of(settings: BaseSettings, environ: Mapping[str, str]) -> Scrapyd:
    """The scrapyd that the settings name, and the password that it was started with."""
    username, password = credentials(environ, Path(settings["DATA_DIR"]))
    return Scrapyd(
        address=settings["SCRAPYD_URL"],
        project=settings["SCRAPYD_PROJECT"],
        username=username,
        password=password,
    )


def credentials(environ: Mapping[str, str], data: Path) -> tuple[str, str]:
    """Name and password from the environment, else those that were made here once."""
    username, password = environ.get("SCRAPYD_USERNAME"), environ.get("SCRAPYD_PASSWORD")
    if username and password:
        return username, password
    return USERNAME, made_password(data)


def made_password(data: Path) -> str:
    """The password in DATA_DIR/scrapyd/password, made when there is none; ours alone to read."""
    path = data / "scrapyd" / "password"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Whole or not at all: two that start at once agree on one.
        new = path.with_name(f"password.{secrets.token_hex(8)}")
        new.touch(mode=0o600, exist_ok=False)
        new.write_text(f"{secrets.token_urlsafe(24)}\n", encoding="ascii")
        try:
            path.hardlink_to(new)
        finally:
            new.unlink()
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()
