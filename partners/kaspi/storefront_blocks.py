"""What the storefront answers instead of data when it does not want to be read.

Seen in public clients 2025-05 … 2026-09: plain 403 over the rate or without a browser's headers,
429 with HTML, 405 to data centre addresses, 200 with HTML in place of JSON. Nobody recorded a
captcha; its signs below are those of the common services.
"""

import re
from enum import StrEnum

import attrs

from partners.call import Answer, Wanted


class BlockKind(StrEnum):
    """How the storefront refused."""

    FORBIDDEN = "forbidden"
    TOO_MANY_REQUESTS = "too_many_requests"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    HTML_INSTEAD_OF_JSON = "html_instead_of_json"
    EMPTY_SHELL = "empty_shell"
    CAPTCHA = "captcha"
    SERVER_ERROR = "server_error"
    TRUNCATED = "truncated"
    PROXY_REFUSES = "proxy_refuses"
    NO_ANSWER = "no_answer"


@attrs.frozen(kw_only=True)
class Block:
    """One refusal: its kind, what helps, and how long it asks us to wait, if it does."""

    kind: BlockKind
    remedy: str
    wait_seconds: int | None = None

    @classmethod
    def of(cls, kind: BlockKind, wait_seconds: int | None = None) -> "Block":
        """A refusal of some kind with what helps against it."""
        return cls(kind=kind, remedy=_REMEDIES[kind], wait_seconds=wait_seconds)


_REMEDIES = {
    BlockKind.FORBIDDEN: "Pause this address for at least 10 seconds, then ask more slowly "
    "(it bears about 10 requests a second), or ask through another proxy.",
    BlockKind.TOO_MANY_REQUESTS: "Pause this address for at least 60 seconds and ask more slowly, "
    "or ask through another proxy: data centre addresses may always get this.",
    BlockKind.METHOD_NOT_ALLOWED: "The address of this machine is probably refused: "
    "ask through another proxy.",
    BlockKind.HTML_INSTEAD_OF_JSON: "A page came instead of data, which is a block or a wrong "
    "KASPI_URL: pause this address, then ask again or through another proxy.",
    BlockKind.EMPTY_SHELL: "The page came without its data: ask again in a few seconds.",
    BlockKind.CAPTCHA: "The address is suspected of being a robot: rest it for half an hour "
    "and ask through another proxy.",
    BlockKind.SERVER_ERROR: "The storefront itself is in trouble: ask again in a minute.",
    BlockKind.TRUNCATED: "The answer broke off: ask again.",
    BlockKind.PROXY_REFUSES: "The proxy does not know us: correct its user and password, "
    "or ask its provider.",
    BlockKind.NO_ANSWER: "Nothing came in time: see whether the proxy is alive, and whether "
    "KASPI_URL can be reached (`scrapy doctor`).",
}

_STATUSES = {
    401: BlockKind.FORBIDDEN,
    403: BlockKind.FORBIDDEN,
    405: BlockKind.METHOD_NOT_ALLOWED,
    407: BlockKind.PROXY_REFUSES,
    429: BlockKind.TOO_MANY_REQUESTS,
    451: BlockKind.FORBIDDEN,
}

_CHALLENGE = re.compile(
    rb"g-recaptcha|h-captcha|hcaptcha\.com|smart-?captcha|cf-challenge|cdn-cgi/challenge"
    rb"|challenge-platform|showcaptcha|(?:id|class|name|action)=[\"'][^\"'>]*captcha"
    rb"|<title>[^<]*(?:captcha|\xd0\xba\xd0\xb0\xd0\xbf\xd1\x87|not a robot)",
    re.IGNORECASE,
)

#: Seconds: what a wish of ten digits comes to; it may be longer than any calendar.
_FOR_EVER = 999_999_999

#: Any of these means that the page speaks of a product, or says that there is none.
_PRODUCT_SIGNS = (
    b"BACKEND.components.item",
    b"product:retailer_item_id",
    "Страница не найдена".encode(),
)
_LD_PRODUCT = re.compile(rb"\"@type\"\s*:\s*\"Product\"")


def recognise_block(answer: Answer, wants: Wanted | None) -> Block | None:
    """Say how the storefront refused to give data, or None when it did not refuse.

    `wants` None: the status alone is judged, and whether the body asks if we are human.
    The API's own errors (400, 404 and 405 in JSON) are answers, not blocks. Every product page
    carries `BACKEND.components.reCAPTCHA = {}` for its review form: that is no captcha.
    """
    kind = _kind(answer, wants)
    if kind is None:
        return None
    return Block.of(kind, _wait_seconds(answer))


def _kind(answer: Answer, wants: Wanted | None) -> BlockKind | None:
    if answer.status >= 500:
        return BlockKind.SERVER_ERROR
    if answer.status in _STATUSES:
        return _by_status(answer)
    if wants is None:
        is_refusal = _is_challenge(answer.body) and not _speaks_of_product(answer.body)
        return BlockKind.CAPTCHA if is_refusal else None
    return _not_json(answer.body) if wants == "json" else _not_a_product_page(answer)


def _by_status(answer: Answer) -> BlockKind | None:
    if answer.status == 405 and looks_like_json(answer.body):
        return None
    return BlockKind.CAPTCHA if _is_challenge(answer.body) else _STATUSES[answer.status]


def _not_json(body: bytes) -> BlockKind | None:
    if looks_like_json(body):
        return None if body.rstrip()[-1:] in b"}]" else BlockKind.TRUNCATED
    if _is_challenge(body):
        return BlockKind.CAPTCHA
    return BlockKind.HTML_INSTEAD_OF_JSON if body.strip() else BlockKind.TRUNCATED


def _not_a_product_page(answer: Answer) -> BlockKind | None:
    body = answer.body
    if answer.status in {404, 410} or _speaks_of_product(body):
        return None
    if _is_challenge(body):
        return BlockKind.CAPTCHA
    return BlockKind.EMPTY_SHELL if b"</html>" in body[-2000:] else BlockKind.TRUNCATED


def _speaks_of_product(body: bytes) -> bool:
    return any(sign in body for sign in _PRODUCT_SIGNS) or _LD_PRODUCT.search(body) is not None


def looks_like_json(body: bytes) -> bool:
    """Whether the body opens as a JSON object or array does, after a byte order mark."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _is_challenge(body: bytes) -> bool:
    """Whether the page asks to prove that we are human; the storefront's own pages never do."""
    return b"BACKEND." not in body and _CHALLENGE.search(body) is not None


def _wait_seconds(answer: Answer) -> int | None:
    """Retry-After in seconds; its other form, a date, has never been seen from the storefront."""
    wanted = answer.headers.get("retry-after", "").strip()
    if not (wanted.isascii() and wanted.isdigit()):
        return None
    return int(wanted) if len(wanted) < 10 else _FOR_EVER
