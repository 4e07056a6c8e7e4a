"""Bodies are unpacked; one that cannot be is empty, and so taken for an answer that broke off."""

import logging

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

#: The flag of an answer that would unpack to more than DOWNLOAD_MAXSIZE.
TOO_LARGE = "too_large"

logger = logging.getLogger(__name__)


class Unpacking(HttpCompressionMiddleware):
    """Scrapy's own loses the question with the answer: nobody would ask again, or hear of it."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Unpack; a damaged stream, plain bytes under a lie and a bomb become no body at all."""
        try:
            return super().process_response(request, response)
        except Exception as error:  # noqa: BLE001  (each packing has errors of its own, and a turn waits)
            logger.debug("%s cannot be unpacked: %s", response, error)
            if self.stats:
                self.stats.inc_value("httpcompression/not_unpacked")
            headers = response.headers.copy()
            headers.pop("Content-Encoding", None)
            flags = [*response.flags, TOO_LARGE] if isinstance(error, IgnoreRequest) else None
            return response.replace(body=b"", headers=headers, flags=flags)
