"""The ways of pricing that the bench compares, by their names."""

from collections.abc import Mapping

from benchmarks.market.pricing import Pricing, engine, follower, public, rationed
from domain.pricing import Doing, Strategy, WhenFollowed, Window
from sandbox.market.public import PUBLIC

#: At dawn we go up where somebody stands just below us, to see who comes along.
DAWN = (Window(begins=300, ends=420, doing=Doing.RESET),)
#: What we compare everybody with, and what we would advise.
DEMPER, ADVISED = "demper main", "advised"


#: The rule of docs/market.md.
ADVISED_RULE: Mapping[str, object] = {
    "strategy": Strategy.PROFIT,
    "when_followed": WhenFollowed.MEET,
    "elasticity": 5,
    "patience_minutes": 15,
    "windows": DAWN,
}


def advised(patience_minutes: int) -> Pricing:
    """The advised rule with another patience."""
    return engine(**{**ADVISED_RULE, "patience_minutes": patience_minutes})


OURS: Mapping[str, Pricing] = {
    ADVISED: engine(**ADVISED_RULE),
    "advised, patience 30": advised(30),
    "advised, patience 60": advised(60),
    "advised, patience 240": advised(240),
    "profit": engine(strategy=Strategy.PROFIT),
    "undercut": engine(strategy=Strategy.UNDERCUT),
    "match": engine(strategy=Strategy.MATCH),
    "position 2": engine(strategy=Strategy.POSITION, position=2),
    "follow the first seen": follower(),
    "premium of 20": engine(strategy=Strategy.PREMIUM, premium=20),
    "hold": engine(strategy=Strategy.HOLD),
}
THEIRS: Mapping[str, Pricing] = {name: public(rule) for name, rule in PUBLIC.items()}
#: The same with their share of what a store may change a day.
RATIONED: Mapping[str, Pricing] = {
    f"{name}, rationed": rationed(pricing) for name, pricing in THEIRS.items()
}
WAYS: Mapping[str, Pricing] = {**OURS, **THEIRS, **RATIONED}
