"""A question to a partner and its answer, as plain values without a socket."""

from collections.abc import Mapping
from typing import Literal

import attrs

#: What a question wants to hear: data of an API, or a page.
Wanted = Literal["json", "html"]


@attrs.frozen(kw_only=True)
class Call:
    """One HTTP request: what to send and where. `wants` None: any body will do."""

    method: str
    address: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    wants: Wanted | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """One HTTP response: header names are in lower case, the body is decompressed.

    `cookies` are the lines of Set-Cookie, of which there may be several.
    """

    status: int
    body: bytes
    address: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    cookies: tuple[str, ...] = attrs.field(default=(), repr=False)
