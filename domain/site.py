"""Which storefront an address names: Kaspi's own, or a replica, perhaps on this very machine."""

from urllib.parse import urlsplit

_KASPI = {"kaspi.kz", "www.kaspi.kz"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def is_replica(address: str) -> bool:
    """Whether the address is not Kaspi's own: the sandbox's, for example."""
    return urlsplit(address).hostname not in _KASPI


def is_on_loopback(address: str) -> bool:
    """Whether what lives there is on this machine, so that nobody minds how fast it is asked."""
    return urlsplit(address).hostname in _LOOPBACK
