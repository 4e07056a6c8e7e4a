"""Rating and counts are looked up by name; people are not read at all."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.reviews import ReviewSummary
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.reviews import ReviewsPage
from tests.pages.building import KETTLE, answer, to_json

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
COUNTS = {
    "ALL": "rating_amount",
    "COMMENT": "review_amount",
    "PICTURE": "picture_amount",
    "POSITIVE": "positive_amount",
    "NEGATIVE": "negative_amount",
}


def outcome(body: object, status: int = 200) -> ReviewSummary | TryAgain | Unreadable:
    text = body if isinstance(body, str) else to_json(body)
    return ReviewsPage(answer(text, status), KETTLE, NOW).to_item()


def summary(body: object) -> ReviewSummary:
    read = outcome(body)
    assert isinstance(read, ReviewSummary), read
    return read


def groups(**totals: object) -> list[dict[str, object]]:
    return [{"id": name, "total": total} for name, total in totals.items()]


@pytest.mark.parametrize(("group", "field"), COUNTS.items())
def test_a_count_is_found_by_the_name_of_its_group_wherever_it_stands(
    group: str, field: str
) -> None:
    others = dict.fromkeys(COUNTS, 900)
    first = summary({"groupSummary": groups(**{group: 7})})
    last = summary(
        {"groupSummary": groups(**{**{k: others[k] for k in others if k != group}, group: 7})}
    )
    assert getattr(first, field) == getattr(last, field) == 7


@pytest.mark.parametrize(
    ("answered", "count"),
    [
        pytest.param({"groupSummary": groups(ALL=5)}, 0, id="a group left out is empty"),
        pytest.param({"groupSummary": []}, 0, id="no groups at all are all empty"),
        pytest.param({"groupSummary": groups(NEGATIVE=0)}, 0, id="zero is zero"),
        pytest.param({"groupSummary": groups(NEGATIVE="5")}, 5, id="a number as text"),
        pytest.param(
            {"groupSummary": groups(NEGATIVE="мало")}, None, id="a spoilt count is unknown"
        ),
        pytest.param({"groupSummary": [None, *groups(NEGATIVE=5)]}, 5, id="next to a spoilt group"),
        pytest.param({"summary": {"global": 4.9}}, None, id="without groups nothing is known"),
        pytest.param(
            {"summary": {"global": 4.9}, "groupSummary": None}, None, id="nor with null for groups"
        ),
    ],
)
def test_a_group_that_is_not_there(answered: object, count: int | None) -> None:
    assert summary(answered).negative_amount == count


@pytest.mark.parametrize(
    ("rating", "rate"),
    [
        pytest.param(4.9, Decimal("4.9"), id="tenths"),
        pytest.param(4.88, Decimal("4.88"), id="hundredths"),
        pytest.param(5, Decimal(5), id="a whole number"),
        pytest.param("4.9", Decimal("4.9"), id="a text"),
        pytest.param(0, None, id="zero means that nobody has rated"),
        pytest.param(0.0, None, id="zero with a point too"),
        pytest.param(None, None, id="null"),
        pytest.param("NaN", None, id="no number"),
        pytest.param(49, None, id="beyond five"),
        pytest.param([], None, id="a list"),
    ],
)
def test_the_rating(rating: object, rate: Decimal | None) -> None:
    assert summary({"summary": {"global": rating}}).rate == rate


def test_without_a_group_of_all_the_stars_are_counted() -> None:
    body = {
        "summary": {
            "global": 4.9,
            "statistic": [{"rate": 5, "count": 700}, {"rate": 1, "count": 9}],
        },
        "groupSummary": groups(COMMENT=400),
    }
    read = summary(body)
    assert (read.rating_amount, read.review_amount, read.negative_amount) == (709, 400, 0)


def test_stars_are_pairs_of_rate_and_count() -> None:
    statistic = [{"rate": 5, "count": 12}, {"rate": 1, "count": 0}, {"rate": "x"}]
    assert summary({"summary": {"statistic": statistic}}).stars == ((5, 12), (1, 0))


def test_no_person_is_in_the_summary() -> None:
    body = {
        "data": [{"author": "Покупатель", "orderNumber": "77", "comment": {"text": "Хорошо"}}],
        "groupSummary": groups(ALL=1),
    }
    assert "Покупатель" not in repr(summary(body))


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param({"data": []}, 200, "nothing we know", id="no summary"),
        pytest.param([], 200, "nothing we know", id="an array"),
        pytest.param({"summary": 5}, 200, "nothing we know", id="a spoilt summary"),
        pytest.param({"error": "Not Found"}, 404, "Kaspi answered 404: Not Found", id="404"),
    ],
)
def test_what_is_not_understood_says_so(body: object, status: int, reason: str) -> None:
    read = outcome(body, status)
    assert isinstance(read, Unreadable)
    assert read.reason.startswith(reason)
    assert read.reason.endswith("(reviews of 104500100)")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param("<html></html>", 200, "html_instead_of_json", id="a page"),
        pytest.param("", 403, "forbidden", id="403"),
        pytest.param('{"summary":{"glob', 200, "truncated", id="half of an answer"),
    ],
)
def test_a_block_is_never_a_product_without_reviews(body: str, status: int, reason: str) -> None:
    read = outcome(body, status)
    assert isinstance(read, TryAgain)
    assert read.reason == reason
