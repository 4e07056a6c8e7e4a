"""Ask this machine's scrapyd whether it is well: `python tools/health.py`; exit code 0 says yes."""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

#: Seconds that scrapyd may take to answer.
PATIENCE = 5


def question(environ: Mapping[str, str]) -> urllib.request.Request:
    """What to ask: scrapyd's own variables say the port, and the password where there is one."""
    port = environ.get("SCRAPYD_HTTP_PORT") or "6800"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/daemonstatus.json")
    name, password = credentials(environ)
    if name and password:
        word = base64.b64encode(f"{name}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
    return request


def credentials(environ: Mapping[str, str]) -> tuple[str, str]:
    """Name and password as `scrapy daemon` finds them: set, or made by it; empty without."""
    name, password = environ.get("SCRAPYD_USERNAME", ""), environ.get("SCRAPYD_PASSWORD", "")
    if name and password:
        return name, password
    data = Path(environ.get("DATA_DIR") or Path(__file__).resolve().parent.parent / ".data")
    try:
        return "kaspi", (data / "scrapyd" / "password").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return "", ""


def complaint(environ: Mapping[str, str]) -> str | None:
    """What is wrong, in a sentence, or None."""
    asked = question(environ)
    # No proxy of the environment stands between us and loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=PATIENCE) as answer:
            status = json.load(answer).get("status")
    except (OSError, ValueError) as error:
        return f"scrapyd does not answer at {asked.full_url}: {error}"
    return None if status == "ok" else f"scrapyd says that its status is {status!r}"


if __name__ == "__main__":
    sys.exit(complaint(os.environ))
