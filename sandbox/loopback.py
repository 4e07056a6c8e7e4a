"""Loopback alone: the addresses that the sandbox listens on and asks."""

import ipaddress
from contextlib import suppress


class NotLoopback(ValueError):
    """An address that others could reach; the sandbox refuses to listen there."""


def loopback(host: str) -> str:
    """The numeric bind address. Raises NotLoopback for one that is not on this machine alone."""
    named = "127.0.0.1" if host == "localhost" else host
    with suppress(ValueError):
        if ipaddress.ip_address(named).is_loopback:
            return named
    raise NotLoopback(f"the sandbox listens on this machine alone: {host} is not 127.0.0.1")
