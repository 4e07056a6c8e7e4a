"""A store's session for tests: the walk of the sign-in, as a browser with a cookie jar does it."""

import json
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

EMAIL = "user@example.kz"
PASSWORD = "a word for tests"  # noqa: S105


def sign_in(address: str, email: str = EMAIL, password: str = PASSWORD) -> str:
    """The value of Cookie for the cabinet of a sandbox."""
    jar = CookieJar()
    client = build_opener(HTTPCookieProcessor(jar))
    _visit(client, f"{address}/mc.shop/oauth2/authorization/1")
    words = json.dumps({"_u": email, "_p": password, "_r_d": False}).encode()
    where = f"{address}/idmc.shop/api/p/login"
    headers = {"Origin": address, "Content-Type": "application/json"}
    client.open(Request(where, words, headers), timeout=20)  # noqa: S310
    _visit(client, f"{address}/mc.shop/oauth2/authorization/1")
    return next(f"{one.name}={one.value}" for one in jar if one.name == "mc-sid")


def _visit(client: OpenerDirector, address: str) -> None:
    """Follow redirects to their end, whatever is there."""
    try:
        client.open(address, timeout=20).read()
    except HTTPError as end:
        end.read()
