"""Scrapy as it comes out of the box, with an ORM commit for each product."""

import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response

from benchmarks.baselines import Shelf, Told
from benchmarks.spiders.bare import BareSpider


class OrmStage:
    """Stores each item as it comes."""

    def open_spider(self) -> None:
        """Connect."""
        self._shelf = Shelf(self._address)

    def __init__(self, address: str) -> None:
        self._address = address

    @classmethod
    def from_crawler(cls, crawler: Any) -> "OrmStage":
        return cls(crawler.settings["BENCHMARK_DATABASE"])

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Commit one product."""
        self._shelf.save(Told(**item))
        return item

    def close_spider(self) -> None:
        """Disconnect."""
        self._shelf.close()


class DefaultsSpider(BareSpider):
    """Reads names and prices with json, and leaves all else out."""

    name = "defaults"
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "ITEM_PIPELINES": {"benchmarks.spiders.defaults.OrmStage": 300}
    }

    async def start(self) -> AsyncIterator[Request]:
        """The same requests as the offers spider's."""
        async for request in super().start():
            yield request

    def parse(self, response: Response) -> Any:
        """One product with its prices."""
        told = json.loads(response.body)
        yield {
            "kaspi_id": response.url.rsplit("/", 1)[-1],
            "prices": [(offer["merchantName"], int(offer["price"])) for offer in told["offers"]],
        }
