"""Price lists on their way: read at once, applied when their time has come, with their protocol."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Literal

import attrs

from domain.identity import MerchantId
from sandbox.seller import list_xlsx, list_xml
from sandbox.seller.applying import Queue
from sandbox.seller.changing import changed
from sandbox.seller.goods import Author
from sandbox.seller.lists import ListRefused, PriceList, Reader, gathered
from sandbox.seller.shelf import Shelf
from sandbox.seller.switches import SellerSwitches

#: FLUSHED is the marketplace's last word (seen in code 2025); the other two are ours.
Status = Literal["PROCESSING", "FLUSHED", "FAILED"]


@attrs.define(kw_only=True)
class ListFile:
    """One list: how it came, what became of it, and why it was refused."""

    id: str
    merchant: MerchantId
    door: str
    at: datetime
    status: Status = "PROCESSING"
    why: str | None = None
    rows: int = 0
    known: int = 0
    skipped: tuple[str, ...] = ()
    changed: int = 0
    withdrawn: int = 0


@attrs.define
class Files:
    """All lists that came, the latest last."""

    queue: Queue
    switches: Callable[[], SellerSwitches]
    came: list[ListFile] = attrs.Factory(list)

    def last(self, merchant: MerchantId) -> ListFile | None:
        """The store's latest list, or None."""
        return next((one for one in reversed(self.came) if one.merchant == merchant), None)

    def unfinished(self, merchant: MerchantId) -> bool:
        """Whether a list of the store is still in work."""
        return any(one.merchant == merchant and one.status == "PROCESSING" for one in self.came)

    async def receive(self, shelf: Shelf, source: IO[bytes], author: Author) -> ListFile:
        """Read a list, and let it apply when its time has come; a refused one is over at once."""
        file = ListFile(
            id=self.queue.new_id(shelf),
            merchant=shelf.merchant,
            door=author.door,
            at=shelf.world.now,
        )
        self.came.append(file)
        author = attrs.evolve(author, file_id=file.id, source="PRICE_LIST")
        try:
            told = await asyncio.to_thread(read_list, source, shelf, self.switches())
        except ListRefused as refused:
            file.status, file.why = "FAILED", str(refused)
            return file
        file.rows, file.known, file.skipped = told.rows, len(told.changes), told.skipped
        due = shelf.world.now + timedelta(seconds=self.switches().apply_seconds)
        shelf.world.when(due, partial(self._apply, file, shelf, told, author))
        return file

    def _apply(self, file: ListFile, shelf: Shelf, told: PriceList, author: Author) -> None:
        switches = self.switches()
        for change in told.changes:
            before = shelf.listings[change.sku]
            if changed(before, change, author, shelf.world.now, switches) is not before:
                self.queue.apply_now(shelf, change, author)
                file.changed += 1
        if switches.omitted == "withdrawn":
            self._withdraw_others(file, shelf, told, author)
        file.status = "FLUSHED"

    def _withdraw_others(
        self, file: ListFile, shelf: Shelf, told: PriceList, author: Author
    ) -> None:
        named = told.named
        for listing in list(shelf.listings.values()):
            if listing.on_sale and listing.sku not in named:
                shelf.withdraw(listing.sku, author, file.id)
                file.withdrawn += 1


def read_list(source: IO[bytes], shelf: Shelf, switches: SellerSwitches) -> PriceList:
    """Understand a list, a workbook or XML by its first bytes. Raises ListRefused."""
    if switches.list_megabytes is not None:
        size = source.seek(0, 2)
        if size > switches.list_megabytes * 1_000_000:
            raise ListRefused(f"{size} bytes are more than {switches.list_megabytes} MB")
    source.seek(0)
    reader = Reader(
        merchant=shelf.merchant, points=shelf.points.keys(), known=shelf.listings.keys()
    )
    excel = source.read(2) == b"PK"
    source.seek(0)
    if excel:
        return gathered(list_xlsx.rows(source, reader, switches), reader, switches)
    return gathered(list_xml.rows(source, reader), reader, switches)
