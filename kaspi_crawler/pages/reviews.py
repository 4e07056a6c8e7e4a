"""The reviews API's summary: rating and counts by group. Authors and orders are never read.

Shape recorded 2025-06 and 2026-09.
"""

from datetime import datetime
from decimal import Decimal

import attrs
import msgspec

from domain.identity import ProductId
from domain.reviews import ReviewSummary
from kaspi_crawler.pages import forgiving
from kaspi_crawler.pages.answers import json_text, refusal
from kaspi_crawler.pages.forgiving import Misfit
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable, Witness
from kaspi_crawler.pages.shapes import Count
from partners.call import Answer


class RawGroup(msgspec.Struct, gc=False):
    """How many reviews are in a group such as ALL or COMMENT."""

    id: str
    total: Count | None = None


class RawStars(msgspec.Struct, gc=False):
    """How many ratings gave so many stars."""

    rate: int
    count: int


class RawSummary(msgspec.Struct, gc=False):
    """`global` is the mean rating in tenths."""

    rate: Decimal | None = msgspec.field(default=None, name="global")
    statistic: list[RawStars] | None = None


class RawReviews(msgspec.Struct, gc=False, rename="camel"):
    """The answer without its reviews: those name people."""

    summary: RawSummary | None = None
    group_summary: list[RawGroup] | None = None


_decoder = msgspec.json.Decoder(RawReviews, strict=False)


def without_people(body: bytes) -> bytes:
    """The answer without its reviews, which name people; what is not JSON stays as it came."""
    try:
        told = forgiving.parse(body)
    except forgiving.NotJson:
        return body
    if not isinstance(told, dict) or "data" not in told:
        return body
    return msgspec.json.encode({key: value for key, value in told.items() if key != "data"})


@attrs.frozen
class ReviewsPage:
    """The answer to Storefront.reviews."""

    answer: Answer
    product: ProductId
    checked_at: datetime
    witness: Witness = attrs.field(factory=Witness, eq=False)

    def to_item(self) -> ReviewSummary | TryAgain | Unreadable:
        """Read the rating and the counts; an answer with neither is not understood."""
        raw = self._raw() if self.answer.status == 200 else None
        if raw is None or (raw.summary is None and raw.group_summary is None):
            return refusal(self.answer, f"reviews of {self.product}")
        return self._summary(raw)

    def _raw(self) -> RawReviews | None:
        text = json_text(self.answer)
        try:
            return _decoder.decode(text)
        except forgiving.UNFIT:
            self.witness.loose = True  # something has drifted: read what fits
        try:
            return forgiving.read(forgiving.parse(text), RawReviews)
        except (forgiving.NotJson, Misfit):
            return None

    def _summary(self, raw: RawReviews) -> ReviewSummary:
        amounts = _amounts(raw.group_summary)
        return ReviewSummary(
            kaspi_id=self.product,
            rate=_rate(raw.summary),
            rating_amount=_rating_amount(raw),
            review_amount=amounts.get("COMMENT"),
            picture_amount=amounts.get("PICTURE"),
            positive_amount=amounts.get("POSITIVE"),
            negative_amount=amounts.get("NEGATIVE"),
            stars=_stars(raw.summary),
            checked_at=self.checked_at,
        )


_GROUPS = ("ALL", "COMMENT", "PICTURE", "POSITIVE", "NEGATIVE")


def _amounts(groups: list[RawGroup] | None) -> dict[str, int | None]:
    """Totals by group id. Empty groups are left out of an answer that lists groups."""
    if groups is None:
        return {}
    empty: dict[str, int | None] = dict.fromkeys(_GROUPS, 0)
    return empty | {group.id: group.total for group in groups}


def _rating_amount(raw: RawReviews) -> int | None:
    """The total of ALL; where that group is absent, as many as the stars count."""
    named = {group.id: group.total for group in raw.group_summary or ()}
    stars = _stars(raw.summary)
    if "ALL" not in named and stars:
        return sum(count for _rate, count in stars)
    return _amounts(raw.group_summary).get("ALL")


def _rate(summary: RawSummary | None) -> Decimal | None:
    """The mean rating; 0 stands for a product that nobody has rated."""
    rate = None if summary is None else summary.rate
    return rate if rate is not None and rate.is_finite() and 0 < rate <= 5 else None


def _stars(summary: RawSummary | None) -> tuple[tuple[int, int], ...]:
    statistic = None if summary is None else summary.statistic
    return tuple((stars.rate, stars.count) for stars in statistic or ())
