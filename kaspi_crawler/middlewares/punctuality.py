"""A question that had to leave by a moment, and has not, does not leave any more."""

import asyncio

from scrapy import Request
from scrapy.exceptions import IgnoreRequest


class TooLate(IgnoreRequest):
    """A question waited too long for its turn: what it would change may have changed since."""


class Punctuality:
    """Stands next to the network: looks at `leaves_by` of `meta`, by the clock of the loop.

    A price that is written down as sent leaves within seconds or not at all, so that after some
    minutes it is certain that it leaves no more.
    """

    def process_request(self, request: Request) -> None:
        """Raises TooLate."""
        leaves_by = request.meta.get("leaves_by")
        if leaves_by is not None and asyncio.get_running_loop().time() > leaves_by:
            raise TooLate("it waited too long for its turn, and was not sent")
