"""A crawler that is asked to stop while it opens opens first, so that it can close in order."""

import asyncio

from scrapy.crawler import Crawler

#: Seconds between two looks at whether it has opened.
_PAUSE = 0.01


class PatientCrawler(Crawler):
    """As Scrapy's own, which forgets a stop that comes before the engine runs: the process then
    ends with the spider's stages half open, and the run never gets its end.
    """

    async def stop_async(self) -> None:
        """Stop once the engine runs; a crawl that could not be opened has stopped already."""
        while self.crawling and not (self._engine and self._engine.running):  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE)
        await super().stop_async()
