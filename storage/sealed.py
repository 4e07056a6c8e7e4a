"""Secrets at rest: texts that only the holder of KASPI_SECRET_KEY can read."""

from cryptography.fernet import Fernet, InvalidToken

_MAKE_ONE = (
    "Make one with `python -c 'from cryptography.fernet import Fernet; "
    "print(Fernet.generate_key().decode())'`, keep it, and set KASPI_SECRET_KEY to it"
)


class NoKey(ValueError):
    """There is no key, or it is another one."""


def seal(secret: str, key: str) -> bytes:
    """Encrypt a text. Raises NoKey."""
    return _lock(key).encrypt(secret.encode())


def unseal(sealed: bytes, key: str) -> str:
    """Decrypt a text. Raises NoKey, also when it was encrypted with another key."""
    try:
        return _lock(key).decrypt(sealed).decode()
    except InvalidToken:
        raise NoKey(
            "KASPI_SECRET_KEY is another one than the secrets in the database were encrypted with: "
            "set it to the old one, or remove them and add them anew"
        ) from None


def _lock(key: str) -> Fernet:
    if not key:
        raise NoKey(f"secrets are kept encrypted, and KASPI_SECRET_KEY is not set. {_MAKE_ONE}")
    try:
        return Fernet(key)
    except ValueError:
        raise NoKey(f"KASPI_SECRET_KEY is no key. {_MAKE_ONE}") from None
