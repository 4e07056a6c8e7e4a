"""One crawl: its number, what it was told, when it began."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs


@attrs.frozen(kw_only=True)
class Run:
    """One run of one spider. `site` is the address of the storefront that it asks.

    `job_id` is what scrapyd calls it; None when a person started it.
    """

    id: UUID
    spider: str
    arguments: Mapping[str, str]
    site: str
    started_at: datetime
    job_id: str | None = None

    @property
    def name(self) -> str:
        """How the run's files are called: 20261121T090000Z-1b9d6bcd."""
        return f"{self.started_at:%Y%m%dT%H%M%SZ}-{str(self.id)[:8]}"
