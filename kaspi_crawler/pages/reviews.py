"""The reviews API: rating, counts by group, texts. Authors and orders are never read.

Shape recorded 2025-06 and 2026-09.
"""

import re
from datetime import date, datetime
from decimal import Decimal

import attrs
import msgspec

from domain.identity import MerchantId, ProductId
from domain.reviews import ReviewSummary, ReviewText
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


class RawComment(msgspec.Struct, gc=False):
    """The buyer's words."""

    plus: str | None = None
    minus: str | None = None
    text: str | None = None


class RawMerchant(msgspec.Struct, gc=False):
    """Who sold the product; his name is not read."""

    code: str | None = None


class RawReview(msgspec.Struct, gc=False, rename="camel"):
    """One review without those who are in it: neither author nor order has a field here."""

    id: str
    date: str
    rating: int
    comment: RawComment | None = None
    merchant: RawMerchant | None = None
    gallery_images: list[object] | None = None


class RawTexts(msgspec.Struct):
    """The answer's reviews: they are read one by one."""

    data: list[object]


@attrs.frozen(kw_only=True)
class TextsPart:
    """One answer: its reviews in its order, and on the first page what all of them come to.

    `unreadable` has a sentence for each review without a usable id, date or rating. `whole` says
    whether the answer was as long as was asked for, so that another page may follow.
    """

    reviews: tuple[ReviewText, ...]
    summary: ReviewSummary | None
    whole: bool
    unreadable: tuple[str, ...] = ()

    @property
    def newest_first(self) -> bool:
        """Whether the reviews are sorted as they were asked for."""
        days = [review.written_on for review in self.reviews]
        return days == sorted(days, reverse=True)


@attrs.frozen
class TextsPage:
    """The answer to Storefront.review_texts."""

    answer: Answer
    product: ProductId
    page: int
    limit: int
    checked_at: datetime

    def to_item(self) -> TextsPart | TryAgain | Unreadable:
        """Read the reviews, each for itself."""
        raw = self._raw() if self.answer.status == 200 else None
        if raw is None:
            return refusal(self.answer, self._where)
        reviews: list[ReviewText] = []
        unreadable: list[str] = []
        for value in raw.data:
            try:
                reviews.append(_review(forgiving.read(value, RawReview)))
            except Misfit as misfit:
                unreadable.append(f"{misfit.field} of a review is unreadable ({self._where})")
        return TextsPart(
            reviews=tuple(reviews),
            summary=self._summary(),
            whole=len(raw.data) >= self.limit,
            unreadable=tuple(unreadable),
        )

    def _raw(self) -> RawTexts | None:
        try:
            return forgiving.read(forgiving.parse(json_text(self.answer)), RawTexts)
        except (forgiving.NotJson, Misfit):
            return None

    def _summary(self) -> ReviewSummary | None:
        """What the first page says of all reviews."""
        if self.page:
            return None
        told = ReviewsPage(self.answer, self.product, self.checked_at).to_item()
        return told if isinstance(told, ReviewSummary) else None

    @property
    def _where(self) -> str:
        return f"reviews of {self.product}, page {self.page}"


_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def _review(raw: RawReview) -> ReviewText:
    """Raises Misfit when id, date or stars are none."""
    if not raw.id.strip():
        raise Misfit("id", raw.id)
    if not 1 <= raw.rating <= 5:
        raise Misfit("rating", raw.rating)
    comment = raw.comment or RawComment()
    merchant = (raw.merchant.code or "").strip() if raw.merchant else ""
    return ReviewText(
        id=raw.id.strip(),
        written_on=_date(raw.date),
        rating=raw.rating,
        plus=(comment.plus or "").strip(),
        minus=(comment.minus or "").strip(),
        text=(comment.text or "").strip(),
        photos=len(raw.gallery_images or ()),
        merchant_id=MerchantId(merchant) if merchant else None,
    )


def _date(text: str) -> date:
    """A day as the API writes it: 09.12.2022 (recorded 2025-06). Raises Misfit."""
    found = _DATE.fullmatch(text.strip())
    try:
        if found:
            day, month, year = map(int, found.groups())
            return date(year, month, day)
    except ValueError:
        pass  # no calendar has such a day
    raise Misfit("date", text)
