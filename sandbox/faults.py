"""What can go wrong on purpose: the kinds of faults, how they are ordered, and which is due."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from random import Random
from typing import Annotated, Any, Literal

import attrs
import msgspec
from msgspec import Meta, Struct

PathKind = Literal["page", "offers", "reviews", "listing", "login", "cabinet", "pricefeed"]
#: The storefront's; it knows how to spoil what they say.
STOREFRONT_PATHS = frozenset({"page", "offers", "reviews", "listing"})
#: The seller's: the walk of the sign-in, what the cabinet reads, and what it writes.
SELLER_PATHS = frozenset({"login", "cabinet", "pricefeed"})
ALL_PATHS = STOREFRONT_PATHS | SELLER_PATHS
#: Paths that answer with JSON.
JSON_PATHS = ALL_PATHS - {"page", "login"}
_STOREFRONT_JSON = JSON_PATHS & STOREFRONT_PATHS

#: What a path asks for; the number at its end names the product, if there is one.
_PATHS: tuple[tuple[PathKind, re.Pattern[str]], ...] = (
    ("page", re.compile(r"/shop/p/(?:[^/]*-)?(\d*)[^/-]*/?$")),
    ("offers", re.compile(r"/yml/offer-view/offers/(\d*)")),
    ("reviews", re.compile(r"/yml/review-view/api/v1/reviews/product/(\d*)")),
    ("listing", re.compile(r"/yml/product-view/()")),
    ("listing", re.compile(r"/yml/main-navigation/()")),
    ("listing", re.compile(r"/shop/(?:[\w-]+/)?(?:c/|search|sitemap)()")),
    ("login", re.compile(r"/(?:idmc\.shop|mc\.shop/(?:oauth2|login))/()")),
    ("pricefeed", re.compile(r"/mc\.shop/pricefeed/()")),
    ("cabinet", re.compile(r"/mc\.shop/()")),
)


@attrs.frozen
class Subject:
    """What a request asks about: the kind of its path, and the product's number or nothing."""

    path: PathKind
    product: str


def subject(path: str) -> Subject | None:
    """What a path asks about, or None for robots.txt, our own switches and unknown paths."""
    for kind, pattern in _PATHS:
        if found := pattern.match(path):
            return Subject(kind, found[1])
    return None


@attrs.frozen
class Kind:
    """One kind of fault: what comes instead, where it can happen, and what it does to readers.

    `loses` says that some or all of the answer's data cannot be read from this one answer; all
    other kinds keep the meaning of every essential value (seller, price, total, id, title).
    """

    about: str
    paths: Collection[str] = ALL_PATHS
    loses: bool = True


KINDS: Mapping[str, Kind] = {
    "forbidden": Kind("403 with nginx's page, as over the rate"),
    "too_many_requests": Kind('429 with HTML, <!DOCTYPE html><html lang="ru">…'),
    "method_not_allowed": Kind("405 with HTML, as addresses of data centres get"),
    "server_error": Kind("502 with nginx's page"),
    "html_for_json": Kind("200 with a page of HTML that says nothing", JSON_PATHS),
    "captcha": Kind("200 with a page that asks whether we are human"),
    "captcha_forbidden": Kind("403 with the same page"),
    "empty_shell": Kind("a whole page that ends in </html> and speaks of no product", {"page"}),
    "no_state": Kind("a page without its item; linked data and metas stay", {"page"}, loses=False),
    "stripped": Kind("a page without item, linked data and metas of the product", {"page"}),
    "js_state": Kind("a page whose item a script unpacks: only a browser sees it", {"page"}),
    "js_state_fetched": Kind(
        "a page whose item a script fetches: only a browser sees it", {"page"}
    ),
    "truncated": Kind("half of the body under a true length"),
    "broken_off": Kind("half of the body under the whole length, then the connection is closed"),
    "reset": Kind("a reset connection instead of an answer"),
    "reset_midway": Kind("a reset connection after half of the body"),
    "slow": Kind("the true answer, in drops, over `slow_seconds`", loses=False),
    "hanging": Kind("no answer until the client goes or `hang_seconds` have passed"),
    "gzip_lie": Kind("plain bytes that say they are gzip"),
    "gzip_damaged": Kind("a gzip stream that is damaged in its middle"),
    "huge": Kind("a body of `huge_megabytes` without a length"),
    "bomb": Kind("a small gzip body that unpacks to `huge_megabytes`"),
    "deep": Kind(
        "JSON in which an unknown key is nested a hundred thousand times", _STOREFRONT_JSON
    ),
    "missing_keys": Kind(
        "every key that is not essential is left out", STOREFRONT_PATHS, loses=False
    ),
    "extra_keys": Kind(
        "keys that nobody knows, before and among the known ones", STOREFRONT_PATHS, loses=False
    ),
    "numbers_as_strings": Kind('numbers in quotes: "361788.0"', STOREFRONT_PATHS, loses=False),
    "no_certificate": Kind("526 with a page of the server in front", SELLER_PATHS),
    "signed_out": Kind("the session of the cabinet ends before the call", SELLER_PATHS - {"login"}),
    "missing_essential": Kind("one of the offers has lost its price", {"offers"}),
    "shifting": Kind("offers have moved on between two pages of a board", {"offers"}, loses=False),
    "duplicated": Kind("a page repeats offers of the page before", {"offers"}, loses=False),
    "other_product": Kind("the whole answer is about another product", {"page", "offers"}),
}


class Profile(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How one exit behaves.

    `rate` is requests a second on average and `burst` how many may come at once (default: a
    second's worth). Whoever asks faster is refused with `refusal` for `ban_seconds`. After
    `ban_after` answers the exit is banned until the switches are set anew. `delay` is seconds
    before each answer, 3 on a slow exit unless said. `retry_after` is the header's seconds.
    """

    state: Literal["alive", "dead", "slow", "lying", "banned", "datacenter"] = "alive"
    rate: Annotated[float, Meta(gt=0)] | None = None
    burst: Annotated[int, Meta(ge=1)] | None = None
    refusal: Literal[403, 429] = 403
    ban_seconds: Annotated[float, Meta(ge=0)] = 10.0
    retry_after: Annotated[int, Meta(ge=0)] | None = None
    delay: Annotated[float, Meta(ge=0, le=600)] | None = None
    ban_after: Annotated[int, Meta(ge=0)] | None = None

    @property
    def room(self) -> float:
        """How many requests may come at once."""
        return float(self.burst) if self.burst else max(1.0, self.rate or 1.0)

    @property
    def pause(self) -> float:
        """Seconds before each answer."""
        if self.delay is not None:
            return self.delay
        return 3.0 if self.state == "slow" else 0.0


class Scripted(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One line of a script: give a fault `times` times, once `after` such requests went well."""

    kind: str
    path: PathKind | Literal["any"] = "any"
    product: str | None = None
    exit: str | None = None
    times: Annotated[int, Meta(ge=1)] = 1
    after: Annotated[int, Meta(ge=0)] = 0

    def fits(self, about: Subject, exit_name: str) -> bool:
        """Whether the line speaks of this request."""
        return (
            self.path in {"any", about.path}
            and about.path in KINDS[self.kind].paths
            and self.product in {None, about.product}
            and self.exit in {None, exit_name}
        )


Share = Annotated[float, Meta(ge=0, le=1)]


class Switches(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Everything that is wrong on purpose. What is left out is well."""

    #: By kind, the share of requests that get it, of those that it can happen to.
    random: dict[str, Share] = {}
    seed: int = 0
    script: list[Scripted] = []
    #: By name of the exit; what a profile leaves out is taken from `limits`.
    exits: dict[str, dict[str, Any]] = {}
    limits: dict[str, Any] = {}
    slow_seconds: Annotated[float, Meta(ge=0, le=600)] = 3.0
    hang_seconds: Annotated[float, Meta(gt=0, le=600)] = 60.0
    huge_megabytes: Annotated[int, Meta(ge=1, le=1024)] = 100
    #: The Retry-After of a 429 that is given as a fault, in seconds.
    retry_after: Annotated[int, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        for kind in (*self.random, *(line.kind for line in self.script)):
            if kind not in KINDS:
                raise ValueError(f"{kind!r} is no kind of fault: one of {', '.join(KINDS)}")
        for path in ALL_PATHS:
            if sum(self._shares(path).values()) > 1:
                raise ValueError(f"the shares of faults for {path} are more than 1 together")
        for name in self.exits:
            self.profile(name)
        self.profile("")

    def profile(self, name: str) -> Profile:
        """How an exit behaves. Raises msgspec.ValidationError for a profile that is none."""
        return msgspec.convert({**self.limits, **self.exits.get(name, {})}, Profile)

    def by_chance(self, path: str, luck: float) -> str | None:
        """The kind that a draw from 0 to 1 means for a path."""
        for kind, share in self._shares(path).items():
            luck -= share
            if luck < 0:
                return kind
        return None

    def _shares(self, path: str) -> Mapping[str, float]:
        return {kind: share for kind, share in self.random.items() if path in KINDS[kind].paths}


def read_switches(body: bytes) -> Switches:
    """Understand what is to be wrong. Raises msgspec.DecodeError with what cannot be so."""
    return msgspec.json.decode(body, type=Switches)


@attrs.define
class _Line:
    """A line of the script with what became of it so far."""

    told: Scripted
    given: int = 0
    passed: int = 0

    def due(self) -> bool:
        """Whether the fault is given now; a request before its time passes well."""
        if self.given == self.told.times:
            return False
        if self.passed < self.told.after:
            self.passed += 1
            return False
        self.given += 1
        return True


@attrs.define
class Faults:
    """What is switched on, how far the script has come, and how often each kind was given.

    Chance depends on the seed, the path and how often it was asked, and not on the order in
    which requests come: the same crawl meets the same faults.
    """

    switches: Switches = attrs.Factory(Switches)
    given: Counter[str] = attrs.Factory(Counter)
    _lines: list[_Line] = attrs.Factory(list)
    _asked: Counter[str] = attrs.Factory(Counter)

    def set(self, switches: Switches) -> None:
        """Replace everything; counting begins anew."""
        self.switches = switches
        self.given.clear()
        self._lines = [_Line(told) for told in switches.script]
        self._asked.clear()

    def due(self, about: Subject, exit_name: str, path: str) -> str | None:
        """The fault that this request gets: the first of the script that is due, else chance."""
        for line in self._lines:
            if line.told.fits(about, exit_name) and line.due():
                return line.told.kind
        if not self.switches.random:
            return None
        self._asked[path] += 1
        luck = Random(f"{self.switches.seed}/{path}/{self._asked[path]}").random()  # noqa: S311
        return self.switches.by_chance(about.path, luck)

    def told(self) -> Mapping[str, object]:
        """What is set, what was given, what is left of the script, and what each kind means."""
        return {
            "set": self.switches,
            "given": self.given,
            "script_left": [
                {"kind": line.told.kind, "left": line.told.times - line.given}
                for line in self._lines
                if line.given < line.told.times
            ],
            "kinds": {
                name: {"about": kind.about, "paths": sorted(kind.paths), "loses": kind.loses}
                for name, kind in KINDS.items()
            },
        }
