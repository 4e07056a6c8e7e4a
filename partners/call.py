"""A question to a partner and its answer, as plain values without a socket."""

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Call:
    """One HTTP request: what to send and where."""

    method: str
    address: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""


@attrs.frozen(kw_only=True)
class Answer:
    """One HTTP response: header names are in lower case, the body is decompressed."""

    status: int
    body: bytes
    address: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
