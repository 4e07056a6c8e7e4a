"""Rating and counts are looked up by name; people are not read at all."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.reviews import ReviewSummary
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.people import without_people
from kaspi_crawler.pages.reviews import ReviewsPage, TextsPage, TextsPart
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


# --- texts ---------------------------------------------------------------------------------------

REVIEW = {
    "id": "0a01",
    "author": "Автор Один",
    "orderNumber": "000000001",
    "date": "18.09.2026",
    "rating": 5,
    "comment": {"plus": "", "minus": "", "text": "Кипятит."},
}


def texts(*reviews: object, page: int = 1, limit: int = 100) -> TextsPart:
    body = to_json({"data": list(reviews)})
    read = TextsPage(answer(body), KETTLE, page, limit, NOW).to_item()
    assert isinstance(read, TextsPart), read
    return read


def test_who_wrote_a_review_is_not_read() -> None:
    part = texts(REVIEW)
    assert "Автор" not in repr(part)
    assert "000000001" not in repr(part)


def test_a_spoilt_review_is_told_without_its_words() -> None:
    part = texts(REVIEW, {**REVIEW, "date": "вчера"}, {**REVIEW, "id": None}, "Автор Два")
    assert len(part.reviews) == 1
    assert len(part.unreadable) == 3
    assert "Автор" not in repr(part)


def test_only_the_first_page_tells_of_all_reviews() -> None:
    body = to_json({"data": [REVIEW], "groupSummary": groups(ALL=7, COMMENT=3)})
    first = TextsPage(answer(body), KETTLE, 0, 100, NOW).to_item()
    later = TextsPage(answer(body), KETTLE, 1, 100, NOW).to_item()
    assert isinstance(first, TextsPart)
    assert isinstance(later, TextsPart)
    assert first.summary
    assert (first.summary.rating_amount, later.summary) == (7, None)


def test_an_answer_as_long_as_was_asked_for_may_have_a_successor() -> None:
    assert texts(REVIEW, limit=1).whole
    assert not texts(REVIEW, limit=2).whole
    assert not texts().whole


@pytest.mark.parametrize(
    ("days", "sorted_so"),
    [
        pytest.param(("18.09.2026", "17.09.2026", "17.09.2026"), True, id="newest first"),
        pytest.param(("17.09.2026", "18.09.2026"), False, id="oldest first"),
        pytest.param((), True, id="nothing to sort"),
    ],
)
def test_the_order_is_looked_at(days: tuple[str, ...], sorted_so: bool) -> None:
    listed = [{**REVIEW, "id": f"{n}", "date": day} for n, day in enumerate(days)]
    assert texts(*listed).newest_first == sorted_so


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        pytest.param("<html></html>", 200, TryAgain, id="a page in place of data"),
        pytest.param("{}", 429, TryAgain, id="too many"),
        pytest.param('{"data": 7}', 200, Unreadable, id="no list"),
    ],
)
def test_an_answer_without_reviews_is_told_apart(body: str, status: int, kind: type) -> None:
    assert isinstance(TextsPage(answer(body, status), KETTLE, 0, 100, NOW).to_item(), kind)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param('{"author": "Имя \\" Ф.", "x": 1}', '{"author": "", "x": 1}', id="a quote"),
        pytest.param('{"orderNumber":123,"y":"a"}', '{"orderNumber":"","y":"a"}', id="number"),
        pytest.param('[{"author":"Имя обор', '[{"author":""', id="an answer that broke off"),
        pytest.param('{"author":null}', '{"author":null}', id="nobody"),
        pytest.param(
            '{"author":{"name":"Имя","of":[{"b":"}"}]},"x":1}',
            '{"author":"","x":1}',
            id="an object where there was a text",
        ),
        pytest.param('{"a":{"Phone":["+7"', '{"a":{"Phone":""', id="a list that broke off"),
        pytest.param('{"a":"\\"author\\":7"}', '{"a":"\\"author\\":7"}', id="a text about it"),
    ],
)
def test_an_answer_that_is_kept_names_nobody(body: str, kept: str) -> None:
    assert without_people(body.encode()).decode() == kept


def test_what_is_said_of_an_unknown_answer_names_nobody() -> None:
    body = to_json({"reviews": [{"author": "Имя Ф.", "by": "Имя Ф.", "orderNumber": 12}]})
    read = TextsPage(answer(body), KETTLE, 0, 100, NOW).to_item()
    assert isinstance(read, Unreadable)
    assert '{"reviews":[{"author":"","by":"…","orderNumber":""}]}' in read.reason
