"""Prices out of the door, and nothing else: for a timetable between two crawls."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from scrapy import Request

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.conversation import StorefrontSpider

_LONGEST = 24 * 60


class PublishSpider(StorefrontSpider):
    """Carry the pending prices of our stores to the cabinet, as the settings PUBLISH_… allow.

    Arguments
        minutes: how long it stays while something may be sent; default: 10
    """

    name = "publish"
    accepts: ClassVar[tuple[str, ...]] = ("minutes",)

    def __init__(self, minutes: str = "10", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (minutes.isascii() and minutes.isdecimal() and 0 < int(minutes) <= _LONGEST):
            raise BadArgument(
                f"minutes={minutes}: not a number of minutes. A right one: minutes=10"
            )
        #: Seconds that the stage `publish` may keep the crawl open.
        self.lingers = int(minutes) * 60

    async def questions(self) -> AsyncIterator[Request]:
        """None: the stages do it all."""
        nothing: tuple[Request, ...] = ()
        for question in nothing:
            yield question
