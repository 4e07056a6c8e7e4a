"""The cabinet's two hosts as prefixes of one address, and what their answers have in common.

The marketplace has them as https://mc.shop.kaspi.kz and https://idmc.shop.kaspi.kz. Cookies carry
the prefix as their path, so that each host gets its own alone, as there.
"""

from collections.abc import Mapping

import msgspec
from aiohttp import web

#: The cabinet, and the host that signs people in.
MC, IDMC = "/mc.shop", "/idmc.shop"
#: The marketplace's page of the cabinet, on the storefront's own host.
CABINET_PAGE = "/mc/"
#: What Cloudflare and a proxy in front answer with; kept whole for nobody reads it.
_PAGE = '<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>{title}</title></head>'


def origin(request: web.Request) -> str:
    """The address by which the client reached us: loopback, whatever the marketplace is called."""
    return str(request.url.origin())


def json_reply(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A value as the cabinet's services write it."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def page(title: str, body: str) -> web.Response:
    """A page of the cabinet."""
    text = _PAGE.format(title=title) + f"<body>{body}</body></html>"
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def found(location: str) -> web.Response:
    """302 to another place."""
    return web.Response(status=302, headers={"Location": location})
