"""Asks what the offers spider asks, and throws the answers away."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from scrapy import Request, Spider
from scrapy.http import Response

from domain.identity import ALMATY_CITY, ProductId
from domain.run import Run
from partners.kaspi.storefront import Storefront


class BareSpider(Spider):
    """Scrapy alone."""

    name = "bare"
    custom_settings: ClassVar[dict[str, Any]] = {"ITEM_PIPELINES": {}}  # type: ignore[misc]

    def __init__(self, products: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = Run(
            id=uuid4(), spider=self.name, arguments={}, site="", started_at=datetime.now(UTC)
        )
        self.products = Path(products.removeprefix("@")).read_text(encoding="ascii").split()

    async def start(self) -> AsyncIterator[Request]:
        """The same requests as the offers spider's."""
        storefront = Storefront(self.settings["KASPI_URL"])
        for product in self.products:
            call = storefront.offers(ProductId(product), ALMATY_CITY, 0)
            yield Request(
                call.address,
                method=call.method,
                headers=dict(call.headers),
                body=call.body,
                dont_filter=True,
            )

    def parse(self, response: Response) -> None:
        """Nothing is read."""
