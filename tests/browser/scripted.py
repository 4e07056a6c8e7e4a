"""Pages whose state is built by scripts, made of the market's own pages."""

import asyncio
import base64
import re

from aiohttp import web

from tests.crawl.liar import Asked, Lie

#: The assignments of a page's states, each up to the end of its statement.
_STATE = re.compile(
    rb"(BACKEND\.components\.item|BACKEND\.components\.configurator|window\.digitalData)"
    rb"\s*=\s*(\{.*?\})\s*;?\s*$",
    re.MULTILINE,
)
_LINKED_DATA = re.compile(rb'<script type="application/ld\+json">.*?</script>', re.DOTALL)
_METAS = re.compile(rb'<meta property="(?:og|product):[^>]*>')

#: Decodes what a page's scripts carry unreadably.
_DECODE = (
    "const told = text => JSON.parse(new TextDecoder().decode("
    "Uint8Array.from(atob(text), letter => letter.charCodeAt(0))));"
)


def built(body: bytes, *, after_milliseconds: int = 0, with_markup: bool = False) -> bytes:
    """The page with its states in variables alone, built at once or later."""
    states = dict(_STATE.findall(body))
    assert set(states) >= {b"BACKEND.components.item", b"window.digitalData"}, list(states)
    bare = _STATE.sub(rb"", body)
    if not with_markup:
        bare = _METAS.sub(b"", _LINKED_DATA.sub(b"", bare))
    building = "".join(
        f'{name.decode()} = told("{base64.b64encode(state).decode()}");'
        for name, state in states.items()
    )
    script = f"<script>{_DECODE} setTimeout(() => {{{building}}}, {after_milliseconds})</script>"
    if not after_milliseconds:
        script = f"<script>{_DECODE} {building}</script>"
    return bare.replace(b"</head>", script.encode() + b"</head>", 1)


def by_script(
    *, after_milliseconds: int = 0, with_markup: bool = False, never: bool = False
) -> Lie:
    """The true page, built by its scripts, or never built."""
    if never:
        after_milliseconds = 3_600_000

    async def said(asked: Asked) -> web.StreamResponse:
        status, body, kind = await asked.truth()
        page = built(body, after_milliseconds=after_milliseconds, with_markup=with_markup)
        return web.Response(status=status, body=page, content_type=kind, charset="UTF-8")

    return said


#: An image, a style, a font, a frame, a film, a counter on another host, and a script of its own.
_WISHES = """
<img src="/wish/image.png"><link rel="stylesheet" href="/wish/style.css">
<style>@font-face { font-family: f; src: url(/wish/font.woff2) } p { font-family: f }</style><p>f
<iframe src="/wish/frame.html"></iframe><video src="/wish/film.mp4" autoplay></video>
<script src="{elsewhere}/wish/counter.js"></script><script src="/wish/own.js"></script></body>
"""


async def greedy(asked: Asked) -> web.StreamResponse:
    """A built page that asks for everything; its own address under another name is elsewhere."""
    status, body, kind = await asked.truth()
    elsewhere = f"http://localhost:{asked.request.url.port}"
    wishes = _WISHES.replace("{elsewhere}", elsewhere).encode()
    late = built(body, after_milliseconds=500).replace(b"</body>", wishes, 1)
    return web.Response(status=status, body=late, content_type=kind, charset="UTF-8")


def recorded_in(paths: list[str]) -> Lie:
    """Remembers which paths were asked for; there is nothing at them."""

    async def said(asked: Asked) -> web.StreamResponse:
        paths.append(asked.request.path)
        return web.Response(status=404)

    return said


async def endless(asked: Asked) -> web.StreamResponse:
    """A page whose script never ends."""
    return web.Response(
        text="<html><head><script>while (true) {}</script></head><body></body></html>",
        content_type="text/html",
    )


async def endless_later(asked: Asked) -> web.StreamResponse:
    """A page that comes whole, and whose script then never ends."""
    return web.Response(
        text="<html><body><script>setTimeout(() => { while (true) {} }, 50)</script></body></html>",
        content_type="text/html",
    )


async def slow(asked: Asked) -> web.StreamResponse:
    """A page that comes after a while."""
    await asyncio.sleep(0.5)
    status, body, kind = await asked.truth()
    return web.Response(status=status, body=built(body), content_type=kind, charset="UTF-8")
