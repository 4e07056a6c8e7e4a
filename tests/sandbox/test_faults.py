"""Which fault is due: scripts in their order, chance by its share, and what may not be set."""

from collections import Counter

import msgspec
import pytest

from sandbox.faults import ALL_PATHS, KINDS, Faults, Subject, read_switches, subject
from sandbox.giving import GIVEN

PAGE, OFFERS = Subject("page", "104500100"), Subject("offers", "104500100")


def faults(**switches: object) -> Faults:
    made = Faults()
    made.set(read_switches(msgspec.json.encode(switches)))
    return made


def given(made: Faults, about: Subject, times: int, exit_name: str = "direct") -> list[str | None]:
    return [made.due(about, exit_name, "GET /x") for _ in range(times)]


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("/shop/p/any-words-104500100/", PAGE),
        ("/shop/p/-104500100/", PAGE),
        ("/shop/p/104500100", PAGE),
        ("/shop/p/words/", Subject("page", "")),
        ("/yml/offer-view/offers/104500100", OFFERS),
        ("/yml/review-view/api/v1/reviews/product/104500100", Subject("reviews", "104500100")),
        ("/yml/product-view/pl/results", Subject("listing", "")),
        ("/yml/main-navigation/n/n/desktop-menu", Subject("listing", "")),
        ("/shop/c/smartphones/", Subject("listing", "")),
        ("/shop/almaty/c/smartphones/all/", Subject("listing", "")),
        ("/shop/sitemap.xml", Subject("listing", "")),
        ("/robots.txt", None),
        ("/sandbox/ledger/104500100/750000000", None),
        ("/elsewhere", None),
    ],
)
def test_a_path_says_what_is_asked(path: str, about: Subject | None) -> None:
    assert subject(path) == about


def test_every_kind_that_can_be_ordered_can_be_given() -> None:
    assert set(GIVEN) == set(KINDS)
    for name, kind in KINDS.items():
        assert kind.about, name
        assert set(kind.paths) <= ALL_PATHS, name


@pytest.mark.parametrize(
    ("line", "asked", "answers"),
    [
        pytest.param({}, OFFERS, ["reset", None], id="once unless said otherwise"),
        pytest.param({"times": 3}, OFFERS, ["reset"] * 3 + [None], id="so many times"),
        pytest.param(
            {"after": 2}, OFFERS, [None, None, "reset", None], id="after some that went well"
        ),
        pytest.param({"path": "page"}, OFFERS, [None, None], id="another path goes well"),
        pytest.param({"path": "offers"}, OFFERS, ["reset", None], id="the path it speaks of"),
        pytest.param({"product": "1"}, OFFERS, [None], id="another product goes well"),
        pytest.param({"product": "104500100"}, OFFERS, ["reset"], id="the product it speaks of"),
        pytest.param({"exit": "exit-2"}, OFFERS, [None], id="another exit goes well"),
        pytest.param({"exit": "direct"}, OFFERS, ["reset"], id="the exit it speaks of"),
    ],
)
def test_a_line_of_a_script(
    line: dict[str, object], asked: Subject, answers: list[str | None]
) -> None:
    made = faults(script=[{"kind": "reset", **line}])
    assert given(made, asked, len(answers)) == answers


def test_a_script_is_worked_off_in_its_order() -> None:
    made = faults(script=[{"kind": "forbidden", "times": 2}, {"kind": "captcha"}])
    assert given(made, PAGE, 4) == ["forbidden", "forbidden", "captcha", None]
    assert made.told()["script_left"] == []


def test_a_kind_that_cannot_happen_to_a_path_waits_for_one_that_it_can_happen_to() -> None:
    made = faults(script=[{"kind": "empty_shell"}])
    assert given(made, OFFERS, 2) == [None, None]
    assert given(made, PAGE, 1) == ["empty_shell"]


def test_chance_gives_each_kind_its_share_of_the_paths_it_can_happen_to() -> None:
    made = faults(random={"forbidden": 0.2, "empty_shell": 0.3})
    pages, offers = Counter(given(made, PAGE, 4000)), Counter(given(made, OFFERS, 4000))
    assert pages["forbidden"] == pytest.approx(800, abs=120)
    assert pages["empty_shell"] == pytest.approx(1200, abs=120)
    assert offers["forbidden"] == pytest.approx(800, abs=120)
    assert set(offers) == {"forbidden", None}


def test_chance_does_not_depend_on_the_order_in_which_paths_are_asked() -> None:
    paths = [f"GET /shop/p/-{number}/" for number in range(40)]
    told = []
    for order in (paths, paths[::-1]):
        made = faults(random={"reset": 0.5}, seed=3)
        told.append({path: [made.due(PAGE, "direct", path) for _ in range(3)] for path in order})
    assert told[0] == told[1]


def test_another_seed_is_another_chance() -> None:
    one, other = (given(faults(random={"reset": 0.5}, seed=seed), PAGE, 64) for seed in (1, 2))
    assert one != other


def test_a_script_goes_before_chance() -> None:
    made = faults(random={"reset": 1}, script=[{"kind": "captcha"}])
    assert given(made, PAGE, 2) == ["captcha", "reset"]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        pytest.param({"random": {"fire": 0.1}}, "'fire' is no kind of fault", id="unknown kind"),
        pytest.param({"script": [{"kind": "fire"}]}, "no kind of fault", id="in a script"),
        pytest.param({"random": {"reset": 1.5}}, "<= 1.0", id="more than always"),
        pytest.param(
            {"random": {"reset": 0.6, "captcha": 0.6}}, "more than 1 together", id="too much"
        ),
        pytest.param({"exits": {"exit-1": {"state": "odd"}}}, "odd", id="unknown state"),
        pytest.param({"limits": {"rate": 0}}, "> 0", id="no rate at all"),
        pytest.param({"limits": {"speed": 3}}, "speed", id="unknown word of a profile"),
        pytest.param({"fault": {}}, "fault", id="unknown word"),
    ],
)
def test_what_cannot_be_set_is_said(said: object, complaint: str) -> None:
    with pytest.raises(msgspec.DecodeError, match=complaint):
        read_switches(msgspec.json.encode(said))
