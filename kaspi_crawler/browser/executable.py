"""Which Chromium is there, and how it is started."""

import os
import shutil
from pathlib import Path

from domain.site import is_on_loopback
from kaspi_crawler.arguments import BadArgument

#: Under these names systems install it, Debian's own first.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

HOW_TO_INSTALL = "install Debian's (apt-get install chromium), or name one: CHROMIUM=/usr/bin/…"

#: No image is decoded or asked for, and nothing is asked that a page did not ask.
_FLAGS = (
    "--blink-settings=imagesEnabled=false",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium(named: str) -> Path | None:
    """The program that CHROMIUM names, else the first on the PATH; None: there is none.

    Raises BadArgument when CHROMIUM names what is no program.
    """
    if named:
        program = shutil.which(Path(named).expanduser())
        if program is None:
            raise BadArgument(f"CHROMIUM={named}: there is no such program; {HOW_TO_INSTALL}")
        return Path(program)
    found = filter(None, map(shutil.which, _NAMES))
    return next(map(Path, found), None)


def flags(site: str) -> list[str]:
    """The command line of a Chromium that reads a storefront, and of a replica nothing else.

    Its sandbox needs an ordinary user: root's Chromium does not start with it.
    """
    chosen = list(_FLAGS)
    if os.geteuid() == 0:
        chosen.append("--no-sandbox")
    if is_on_loopback(site):
        chosen.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
    return chosen
