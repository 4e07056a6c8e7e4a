"""Answers without data, as the marketplace's guards word them (seen 2025-05 … 2026-09)."""

from aiohttp import web

_NAMES = {
    403: "403 Forbidden",
    405: "405 Not Allowed",
    502: "502 Bad Gateway",
    526: "526 Invalid SSL certificate",
}
_TOO_MANY = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>Kaspi.kz</title></head>'
    "<body><h1>Слишком много запросов</h1><p>Попробуйте обновить страницу позже.</p></body></html>"
)
_NOTHING = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>Kaspi.kz</title></head>'
    "<body><p>Обновите страницу</p></body></html>"
)
#: Nobody recorded one: its signs are those of the common services.
_CAPTCHA = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>Вы не робот?</title></head>'
    '<body><form action="/captcha/check" method="post"><div class="g-recaptcha"></div>'
    "<button>Продолжить</button></form></body></html>"
)


def by_nginx(status: int) -> web.Response:
    """The plain page of the server in front: 403, 405, 502 or 526."""
    name = _NAMES[status]
    text = (
        f"<html>\r\n<head><title>{name}</title></head>\r\n<body>\r\n"
        f"<center><h1>{name}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return _html(text, status, {"Server": "nginx"})


def too_many(retry_after: int | None) -> web.Response:
    """429, with HTML whatever was asked for (seen 2026-07); no recorded one had Retry-After."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _html(_TOO_MANY, 429, headers)


def refusal(status: int, retry_after: int | None) -> web.Response:
    """What a limit or a ban answers."""
    if status == 429:
        return too_many(retry_after)
    answer = by_nginx(status)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def nothing() -> web.Response:
    """200, and a page that says nothing, in place of what was asked for."""
    return _html(_NOTHING, 200)


def captcha(status: int) -> web.Response:
    """A page that asks whether we are human."""
    return _html(_CAPTCHA, status)


def _html(text: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=headers
    )
