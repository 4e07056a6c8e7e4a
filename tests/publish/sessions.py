"""Signs the cabinet's questions in a crawl of the tests, and anew when the session ends."""

import asyncio
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from tests.publish.signing import sign_in

_GONE = {302, 401}


class Sessions:
    """Questions with `account` get the sandbox's session; one that is gone is begun anew, once."""

    def __init__(self, crawler: Crawler) -> None:
        self._site: str = crawler.settings["KASPI_URL"]
        self._cookie: str | None = None
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if "account" not in request.meta:
            return
        async with self._one_at_a_time:
            if self._cookie is None:
                loop = asyncio.get_running_loop()
                self._cookie = await loop.run_in_executor(None, sign_in, self._site)
        request.headers["Cookie"] = self._cookie
        request.meta["signed_with"] = self._cookie

    def process_response(self, request: Request, response: Response) -> Response | Request:
        if "account" not in request.meta or response.status not in _GONE:
            return response
        if self._cookie == request.meta.get("signed_with"):
            self._cookie = None
        if request.meta.get("signed_again"):
            return response
        again = request.copy()
        again.meta["signed_again"] = True
        return again
