"""Whoever comes after us: met, passed again, waited for, led upwards at night."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.money import Tenge
from domain.pricing import Doing, Reason, Strategy, WhenFollowed, Window
from repricer.shadow import follows
from tests.repricer.thinking import decided, plan, rival, rule, said

NOW = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)  # noon on a Thursday in Almaty
RESET = (Window(begins=300, ends=480, doing=Doing.RESET),)
DAWN = NOW - timedelta(hours=6)


def peaceful(**more: Any) -> Any:
    """A rule for the best profit that meets who came after us."""
    given: dict[str, Any] = {
        "strategy": Strategy.PROFIT,
        "when_followed": WhenFollowed.MEET,
        "cost": Tenge(8_000),
        "ceiling": Tenge(10_500),
    }
    return rule(**{**given, **more})


@pytest.mark.parametrize(
    ("own", "theirs", "changed_for", "expected"),
    [
        pytest.param(
            10_000, 9_500, Reason.PROFIT, ("9499", Reason.PROFIT), id="far away: passed as ever"
        ),
        pytest.param(10_000, 9_990, Reason.PROFIT, ("9990", Reason.MEET), id="close below: met"),
        pytest.param(10_000, 9_990, Reason.RESET, ("9990", Reason.MEET), id="after a reset, too"),
        pytest.param(10_000, 9_990, None, ("9990", Reason.MEET), id="and when we do not know"),
        pytest.param(
            9_990,
            9_990,
            Reason.MEET,
            ("hold", Reason.AT_TARGET),
            id="content with it: left alone",
        ),
        pytest.param(
            9_990, 9_990, None, ("hold", Reason.AT_TARGET), id="equal, nobody knows why: left alone"
        ),
        pytest.param(
            9_990,
            9_989,
            Reason.MEET,
            ("9988", Reason.UNDERCUT_AGAIN),
            id="below our meeting: passed",
        ),
        pytest.param(
            9_988,
            9_987,
            Reason.UNDERCUT_AGAIN,
            ("9986", Reason.UNDERCUT_AGAIN),
            id="and again, when it comes again",
        ),
        pytest.param(
            9_988, 9_988, Reason.PROFIT, ("9987", Reason.UNDERCUT_AGAIN), id="it came to us: passed"
        ),
        pytest.param(
            9_989, 9_990, Reason.PROFIT, ("hold", Reason.AT_TARGET), id="above us: no follower"
        ),
    ],
)
def test_who_came_after_us(
    own: int, theirs: int, changed_for: Reason | None, expected: tuple[str, Reason]
) -> None:
    decision = decided(own, rival("A", theirs), by=peaceful(), changed_for=changed_for)
    assert (said(decision), decision.reason) == expected


def test_the_last_pieces_meet_nobody() -> None:
    scarce = peaceful(stock_low=5, stock_low_raise_bp=100)
    assert decided(10_000, rival("A", 9_990), by=scarce, stock=3).reason is not Reason.MEET
    assert decided(10_000, rival("A", 9_990), by=scarce, stock=9).reason is Reason.MEET


@pytest.mark.parametrize(
    ("theirs", "minutes", "expected"),
    [
        pytest.param(9_990, 29, ("hold", Reason.PATIENCE), id="a follower is waited for"),
        pytest.param(9_990, 30, ("9990", Reason.MEET), id="until it is time"),
        pytest.param(9_500, 1, ("9499", Reason.PROFIT), id="others are not"),
    ],
)
def test_patience(theirs: int, minutes: int, expected: tuple[str, Reason]) -> None:
    changed_at = NOW - timedelta(minutes=minutes)
    by = peaceful(patience_minutes=30)
    decision = decided(10_000, rival("A", theirs), by=by, now=NOW, changed_at=changed_at)
    assert (said(decision), decision.reason) == expected
    assert decision.rival is not None


@pytest.mark.parametrize(
    ("own", "theirs", "now", "expected"),
    [
        pytest.param(9_600, 9_590, DAWN, ("10500", Reason.RESET), id="somebody just below: up"),
        pytest.param(9_600, 9_600, DAWN, ("10500", Reason.RESET), id="or with us"),
        pytest.param(10_500, 10_499, DAWN, ("hold", Reason.AT_TARGET), id="it came: we are there"),
        pytest.param(10_500, 9_590, DAWN, ("hold", Reason.OUTSIDE_WINDOW), id="it stayed: we wait"),
        pytest.param(9_600, 9_590, NOW, ("9590", Reason.MEET), id="by day as ever"),
    ],
)
def test_a_reset(own: int, theirs: int, now: datetime, expected: tuple[str, Reason]) -> None:
    decision = decided(own, rival("A", theirs), by=peaceful(windows=RESET), now=now)
    assert (said(decision), decision.reason) == expected


@pytest.mark.parametrize(
    ("elasticity", "expected"),
    [
        pytest.param(0, "11000", id="a second place at a high price"),
        pytest.param(5, "9100", id="to which few buyers would follow"),
    ],
)
def test_dearer_prices_have_fewer_buyers(elasticity: int, expected: str) -> None:
    by = peaceful(ceiling=Tenge(11_000), elasticity=elasticity)
    assert said(decided(10_000, rival("A", 9_101), by=by)) == expected


@pytest.mark.parametrize(
    ("level", "shadow_bp", "expected"),
    [
        pytest.param(9_700, 300, True, id="within the shadow"),
        pytest.param(9_699, 300, False, id="beyond it"),
        pytest.param(10_001, 300, False, id="above us"),
        pytest.param(9_999, 0, False, id="without a shadow nobody follows"),
    ],
)
def test_who_follows(level: int, shadow_bp: int, expected: bool) -> None:
    assert follows(level, 10_000, plan(rule(shadow_bp=shadow_bp))) is expected


def test_where_we_may_not_stand_nobody_came_after_us() -> None:
    """Else the price that we have to leave would decide where we go, and there we would go on."""
    above_the_ceiling = decided(10_600, rival("A", 10_400), by=peaceful())
    assert (above_the_ceiling.price, above_the_ceiling.reason) == (10_399, Reason.PROFIT)
