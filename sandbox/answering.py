"""How our own switches answer: JSON, and a sentence for what is wrong with a request."""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from domain.money import NotMoney

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def explained(handler: Handler) -> Handler:
    """Turn what is wrong with a request into a 400 that says so, and strangers into a 404."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LookupError as stranger:
            return json_answer({"error": str(stranger)}, status=404)
        except (msgspec.DecodeError, NotMoney, ValueError) as wrong:
            return json_answer({"error": str(wrong)}, status=400)

    return answered


def json_answer(value: object, status: int = 200) -> web.Response:
    """A value as JSON."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
