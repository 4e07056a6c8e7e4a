"""The limits, which have the last word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.money import Tenge
from domain.pricing import Doing, Reason, Window
from repricer.decision import decide
from repricer.windows import doing_at
from tests.repricer.thinking import decided, plan, rival, rule, said, situation

NOW = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)  # noon on a Thursday in Almaty


def answer(own: int | None, theirs: int, more: dict[str, Any], **by: Any) -> tuple[str, Reason]:
    decision = decided(own, rival("A", theirs), by=rule(**by), **more)
    return said(decision), decision.reason


@pytest.mark.parametrize(
    ("theirs", "by", "expected"),
    [
        pytest.param(
            9_001, {"max_change_bp": 1_000}, ("9000", Reason.UNDERCUT), id="as much as is allowed"
        ),
        pytest.param(
            9_000,
            {"max_change_bp": 1_000, "floor": Tenge(8_000)},
            ("review 8999", Reason.MAX_CHANGE),
            id="a tenge more is shown to a person, not made smaller",
        ),
        pytest.param(
            11_500,
            {"max_change_bp": 1_000},
            ("review 11499", Reason.MAX_CHANGE),
            id="upwards just the same",
        ),
    ],
)
def test_a_change_in_one_run(theirs: int, by: dict[str, Any], expected: tuple[str, Reason]) -> None:
    assert answer(10_000, theirs, {}, **by) == expected


def test_the_days_changes_are_summed() -> None:
    limit = {"max_change_day_bp": 2_000}
    assert answer(10_000, 9_501, {"moved_today": 1_500}, **limit)[0] == "9500"
    expected = ("review 9499", Reason.MAX_CHANGE_DAY)
    assert answer(10_000, 9_500, {"moved_today": 1_500}, **limit) == expected


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        pytest.param(9_800, ("9699", Reason.UNDERCUT), id="a small one is taken as it is"),
        pytest.param(
            5_900, ("review 9699", Reason.ANOMALY), id="more than 40 % freezes until a person looks"
        ),
        pytest.param(14_100, ("review 9699", Reason.ANOMALY), id="upwards, too"),
    ],
)
def test_an_edit_by_somebody_else(live: int, expected: tuple[str, Reason]) -> None:
    remembered = {"remembered": Tenge(10_000)}
    assert answer(live, 9_700, remembered, max_change_bp=10_000) == expected


def test_our_offer_on_the_board_is_measured_on_what_we_were_told() -> None:
    decision = decided(10_000, rival("us", 5_000), rival("A", 9_700))
    assert decision.reason is Reason.ANOMALY


def test_a_change_waits_until_the_last_one_has_cooled_down() -> None:
    half_an_hour_ago = {"now": NOW, "changed_at": NOW - timedelta(minutes=30)}
    assert answer(10_000, 9_500, half_an_hour_ago, cooldown_minutes=31)[1] is Reason.COOLDOWN
    assert answer(10_000, 9_500, half_an_hour_ago, cooldown_minutes=30)[0] == "9499"


def test_below_the_floor_nothing_waits() -> None:
    just_now = {"now": NOW, "changed_at": NOW}
    assert answer(8_900, 9_500, just_now, cooldown_minutes=60, min_gain=1_000)[0] == "9499"


def test_a_raise_of_too_little_is_not_worth_a_change() -> None:
    assert answer(9_450, 9_500, {}, min_gain=50)[1] is Reason.NO_GAIN
    assert answer(9_449, 9_500, {}, min_gain=50)[0] == "9499"


def test_a_cut_that_passes_nobody_is_not_made() -> None:
    """First by 5, the step is 10: nothing is to be won further down."""
    assert answer(9_495, 9_500, {}, step=10)[1] is Reason.NO_GAIN


def test_a_close_rival_is_not_led_up() -> None:
    board = [rival("A", 8_999), rival("B", 11_000)]
    assert decided(9_000, *board).reason is Reason.SHADOWED
    assert said(decided(9_000, *board, by=rule(shadow_bp=0))) == "10999"
    far = [rival("A", 8_000), rival("B", 11_000)]
    assert said(decided(9_000, *far)) == "10999"


def test_the_last_pieces_are_dearer() -> None:
    few = {"stock_low": 3, "stock_low_raise_bp": 1_000}
    expected = ("10449", Reason.LOW_STOCK)
    assert answer(9_800, 9_500, {"stock": 3}, **few) == expected
    assert answer(9_800, 9_500, {"stock": 4}, **few)[0] == "9499"
    assert answer(9_800, 9_500, {}, **few)[0] == "9499", "a stock that nobody counted is not low"


def test_the_last_pieces_do_not_leap_over_a_dead_zone() -> None:
    """Of 200 kg: from 10,000 the delivery costs so much more that only far above it pays again."""
    heavy: dict[str, Any] = {
        "uses_tariffs": True, "cost": Tenge(5_000), "weight": 200_000, "ceiling": Tenge(40_000),
        "floor": None, "stock_low": 3,
    }  # fmt: skip
    assert answer(9_500, 9_690, {"stock": 2}, **heavy)[0] == "9689"
    few = heavy | {"stock_low_raise_bp": 1_000}
    assert answer(9_500, 9_690, {"stock": 2}, **few) == ("9999", Reason.LOW_STOCK)


def test_aged_goods_ask_for_less() -> None:
    aged = rule(cost=Tenge(9_000), margin=800, aged_days=60, aged_margin=100)
    board = situation(10_000, rival("A", 9_500))
    assert decide(board, plan(aged)).reason is Reason.UNBEATABLE
    assert said(decide(board, plan(aged.at_age(60)))) == "9499"
    assert aged.at_age(59) is aged
    assert aged.at_age(None) is aged


@pytest.mark.parametrize(
    ("more", "by", "why"),
    [
        pytest.param({}, {"on": False}, Reason.RULE_OFF, id="a rule that is off"),
        pytest.param({"stock": 0}, {}, Reason.OUT_OF_STOCK, id="an empty shelf"),
    ],
)
def test_nothing_is_done_for(more: dict[str, Any], by: dict[str, Any], why: Reason) -> None:
    assert answer(10_000, 9_500, more, **by) == ("off", why)


NIGHT = Window(begins=23 * 60, ends=7 * 60, doing=Doing.CEILING)
SHIFT = Window(begins=9 * 60, ends=18 * 60, doing=Doing.WORK, days=(1, 2, 3, 4, 5))
FRIDAY_NIGHT = Window(begins=22 * 60, ends=2 * 60, doing=Doing.HOLD, days=(5,))


@pytest.mark.parametrize(
    ("windows", "hours", "doing"),
    [
        pytest.param((), 0, Doing.WORK, id="without windows a rule always works"),
        pytest.param((SHIFT,), 0, Doing.WORK, id="noon is within the shift"),
        pytest.param((SHIFT,), 6, Doing.HOLD, id="its end is not"),
        pytest.param((SHIFT,), 48, Doing.HOLD, id="nor is Saturday"),
        pytest.param((NIGHT,), 0, Doing.WORK, id="by day the night mode sleeps"),
        pytest.param((NIGHT,), 11, Doing.CEILING, id="at eleven it wakes"),
        pytest.param((NIGHT,), 18.99, Doing.CEILING, id="and lasts until seven"),
        pytest.param((NIGHT,), 19, Doing.WORK, id="but no longer"),
        pytest.param((FRIDAY_NIGHT,), 37, Doing.HOLD, id="Friday's night goes on after midnight"),
        pytest.param((FRIDAY_NIGHT,), 13, Doing.WORK, id="Thursday's is not Friday's"),
    ],
)
def test_what_is_done_at_an_hour(windows: tuple[Window, ...], hours: float, doing: Doing) -> None:
    assert doing_at(windows, NOW + timedelta(hours=hours)) is doing


def test_windows_need_a_moment() -> None:
    with pytest.raises(ValueError, match="needs to know the moment"):
        doing_at((SHIFT,), None)


def test_a_window_has_its_way() -> None:
    noon, midnight = {"now": NOW}, {"now": NOW + timedelta(hours=12)}
    assert answer(10_000, 9_500, midnight, windows=(NIGHT,)) == ("12000", Reason.WINDOW_CEILING)
    assert answer(10_000, 9_500, noon, windows=(NIGHT,))[0] == "9499"
    assert answer(10_000, 9_500, midnight, windows=(SHIFT,)) == ("hold", Reason.OUTSIDE_WINDOW)


def test_beside_a_close_rival_a_price_below_the_floor_is_still_corrected() -> None:
    board = [rival("A", 8_890), rival("B", 11_000)]
    decision = decided(8_900, *board)
    assert (said(decision), decision.reason) == ("9000", Reason.INTO_ALLOWED)
    assert decided(9_000, *board).reason is Reason.SHADOWED, "and then it stays there"
