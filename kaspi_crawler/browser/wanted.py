"""Which requests of a page are let through: those that can build its state."""

from urllib.parse import urlsplit

import attrs
from playwright.async_api import Request

from domain.site import is_replica

_USEFUL = {"script", "xhr", "fetch"}


@attrs.frozen
class Wanted:
    """Scripts and data of the storefront's own hosts; no image, font, film, frame or analytics."""

    site: str

    def __call__(self, request: Request) -> bool:
        """Whether the request is to be aborted, as scrapy-playwright asks."""
        if request.is_navigation_request():
            return request.frame.parent_frame is not None
        return request.resource_type not in _USEFUL or not self._is_own(request.url)

    def _is_own(self, address: str) -> bool:
        host, own = urlsplit(address).hostname or "", urlsplit(self.site).hostname
        if host == own:
            return True
        # kaspi.kz and its static files on ks-static.cdn-kaspi.kz (recorded 2025-08).
        return not is_replica(self.site) and host.endswith((".kaspi.kz", "cdn-kaspi.kz"))
