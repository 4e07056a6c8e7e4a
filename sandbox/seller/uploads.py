"""The cabinet's upload of price lists by hand, and its protocol of files.

Paths and words as working clients have them (seen in code 2025 and 2026); no body was captured.
"""

from tempfile import SpooledTemporaryFile

import attrs
import msgspec
from aiohttp import BodyPartReader, web
from msgspec import Struct

from sandbox.seller.entrance import Entrance
from sandbox.seller.files import Files
from sandbox.seller.goods import Author
from sandbox.seller.hosts import MC, json_reply
from sandbox.seller.sessions import Session
from sandbox.seller.shown import changed_at

_UNFINISHED = "Unfinished file found"
_IN_MEMORY = 16_000_000


class Rows(Struct, rename="camel"):
    """Which rows of the protocol a call asks about."""

    merchant_uid: str
    sku_list: list[str]


@attrs.frozen
class UploadDesk:
    """Handlers of files."""

    entrance: Entrance
    files: Files

    def routes(self) -> list[web.RouteDef]:
        """Their paths."""
        feed, guarded = f"{MC}/pricefeed", self.entrance.guarded
        return [
            web.post(f"{feed}/upload/merchant/upload", guarded(self.upload)),
            web.get(f"{feed}/upload/merchant/files/last", guarded(self.last)),
            web.get(f"{feed}/protocol/merchant/file/{{file}}", guarded(self.status)),
            web.post(f"{feed}/protocol/merchant/offer/list/s", guarded(self.rows)),
        ]

    async def upload(self, request: web.Request, session: Session) -> web.Response:
        """Take a list in, unless an earlier one is still in work; the store may be a field."""
        uid = request.query.get("merchantUid")
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
            if not request.content_type.startswith("multipart/"):
                return web.Response(status=400)
            async for part in await request.multipart():
                if isinstance(part, BodyPartReader) and part.name == "file":
                    while piece := await part.read_chunk(64 * 1024):
                        kept.write(piece)
                elif isinstance(part, BodyPartReader) and part.name == "merchantUid":
                    uid = await part.text()
            shelf = self.entrance.shelf(session, uid)
            if self.files.unfinished(shelf.merchant):
                return web.Response(status=400, text=_UNFINISHED)
            author = Author(email=session.account.email, door="file", at=self.entrance.now())
            file = await self.files.receive(shelf, kept, author)
        return json_reply({"id": file.id})

    async def last(self, request: web.Request, session: Session) -> web.Response:
        """The store's latest file."""
        shelf = self.entrance.shelf(session, request.query.get("m"))
        file = self.files.last(shelf.merchant)
        return web.Response(status=404) if file is None else json_reply({"id": file.id})

    async def status(self, request: web.Request, session: Session) -> web.Response:
        """How far a file has come."""
        shelf = self.entrance.shelf(session, request.query.get("m"))
        for file in self.files.came:
            if (file.id, file.merchant) == (request.match_info["file"], shelf.merchant):
                error = {} if file.why is None else {"error": file.why}
                return json_reply({"id": file.id, "status": file.status, **error})
        return web.Response(status=404)

    async def rows(self, request: web.Request, session: Session) -> web.Response:
        """What became of single rows."""
        try:
            asked = msgspec.json.decode(await request.read(), type=Rows)
        except msgspec.DecodeError:
            return web.Response(status=400)
        shelf = self.entrance.shelf(session, asked.merchant_uid)
        found = [shelf.listings[sku] for sku in asked.sku_list if sku in shelf.listings]
        told = [
            {"sku": one.sku, "fileId": one.file_id, "updatedAt": changed_at(one.changed_at)}
            for one in found
        ]
        return json_reply(told)
