"""Secrets at rest: texts that only the holder of KASPI_SECRET_KEY can read."""

from cryptography.fernet import Fernet, InvalidToken

_MAKE_ONE = (
    "Make one with `python -c 'from cryptography.fernet import Fernet; "
    "print(Fernet.generate_key().decode())'`, keep it, and set KASPI_SECRET_KEY to it"
)
#: Of secrets that are kept already.
_OLD_ONE = (
    "Set it to the old one. A new one cannot read them: if the old one is lost, remove them and "
    "add them anew"
)


class NoKey(ValueError):
    """There is no key, or it is another one."""


def seal(secret: str, key: str) -> bytes:
    """Encrypt a text. Raises NoKey."""
    return _lock(key).encrypt(secret.encode())


def unseal(sealed: bytes, key: str) -> str:
    """Decrypt a text. Raises NoKey, also when it was encrypted with another key."""
    try:
        return _lock(key, _OLD_ONE).decrypt(sealed).decode()
    except InvalidToken:
        raise NoKey(
            "KASPI_SECRET_KEY is another one than the secrets in the database were encrypted with. "
            f"{_OLD_ONE}"
        ) from None


def _lock(key: str, remedy: str = _MAKE_ONE) -> Fernet:
    if not key:
        raise NoKey(f"secrets are kept encrypted, and KASPI_SECRET_KEY is not set. {remedy}")
    try:
        return Fernet(key)
    except ValueError:
        raise NoKey(f"KASPI_SECRET_KEY is no key. {remedy}") from None
