"""Leads an item through the stages in their order, and counts it at the end."""

from functools import cached_property
from types import CoroutineType
from typing import Any

from scrapy.pipelines import ItemPipelineManager

from kaspi_crawler.health.coverage import Coverage


class Stages(ItemPipelineManager):
    """As Scrapy's own, without a coroutine around each stage that does not wait."""

    async def process_item_async(self, item: Any) -> Any:
        for process_item in self.methods["process_item"]:
            item = process_item(item)  # type: ignore[misc]
            if isinstance(item, CoroutineType):
                item = await item
        if self.crawler and self.crawler.stats:
            self.crawler.stats.inc_value("item_scraped_count")
        self._coverage.add(item)
        return item

    @cached_property
    def _coverage(self) -> Coverage:
        """The spider's, which is judged when the crawl closes."""
        spider = self.crawler and self.crawler.spider
        return getattr(spider, "coverage", None) or Coverage()
