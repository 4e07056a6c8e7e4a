"""Bodies are unpacked; one that cannot be is empty, and so taken for an answer that broke off."""

import logging
import zlib

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

logger = logging.getLogger(__name__)


class Unpacking(HttpCompressionMiddleware):
    """Scrapy's own loses the question with the answer: nobody would ask again, or hear of it."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Unpack; a damaged stream, plain bytes under a lie and a bomb become no body at all."""
        try:
            return super().process_response(request, response)
        except (OSError, EOFError, zlib.error, IgnoreRequest) as error:
            logger.debug("%s cannot be unpacked: %s", response, error)
            if self.stats:
                self.stats.inc_value("httpcompression/not_unpacked")
            headers = response.headers.copy()
            headers.pop("Content-Encoding", None)
            return response.replace(body=b"", headers=headers)
