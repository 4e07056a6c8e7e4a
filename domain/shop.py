"""Our own shops: what they list, and the rules that people write for their prices."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NewType

import attrs

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.pricing import Decision, Reason
from domain.readings import Finding

#: Our own number of a listing.
ListingId = NewType("ListingId", int)
#: Our own number of one version of a rule.
RuleId = NewType("RuleId", int)


@attrs.frozen(kw_only=True)
class Store:
    """A store of ours. Stores of one owner are sisters; `sisters` are more, kept elsewhere.

    None: not said, and what was said before stays.
    """

    id: MerchantId
    name: str | None = None
    owner: str | None = None
    sisters: frozenset[MerchantId] | None = None


@attrs.frozen(kw_only=True)
class OwnListing:
    """An article of a store under the card that it is sold under.

    None: not said, and what was said before stays. `price` is ours as it stands in the cabinet;
    `stocked_on` is the day on which the oldest pieces came in.
    """

    store: MerchantId
    sku: str
    kaspi_id: ProductId
    name: str | None = None
    price: Tenge | None = None
    stock: int | None = None
    stocked_on: date | None = None


@attrs.frozen(kw_only=True)
class RuleLine:
    """What somebody wrote for one listing, or without an sku for all listings of a store.

    `said` has the keys of a rule as `scrapy decide` speaks them: what a line does not say, the
    store's defaults do. Without a city it holds everywhere. `kaspi_id` makes a listing of an sku
    that is not known yet.
    """

    store: MerchantId
    sku: str = ""
    city: CityId | None = None
    said: Mapping[str, Any]
    kaspi_id: ProductId | None = None


@attrs.frozen(kw_only=True)
class RuleChange:
    """One change of the rules: where it came from, and how many lines it changed."""

    id: int
    made_at: datetime
    source: str
    lines: int
    undoes: int | None


@attrs.frozen(kw_only=True)
class Listed:
    """A listing of ours on a board that was read, with the rule that holds there.

    `said` is the whole rule, in JSON as `scrapy decide` speaks it. `moved_today` sums the sizes
    of our live price's changes since midnight in Almaty, in tenge; `changed_at` is the last of
    them in a month. `changed_for` is why we last decided to ask what is asked now, None when we
    never did. `median` is that of the others' prices of the last week, when there are enough.
    `changes` are moments at which a rival changed the board while it was `watched`, in
    ten-thousandths; both fade, and are halved in three days.
    """

    id: ListingId
    store: MerchantId
    sku: str
    kaspi_id: ProductId
    city: CityId
    price: Tenge | None
    stock: int | None
    stocked_on: date | None
    rule: RuleId
    said: bytes
    sisters: frozenset[MerchantId]
    moved_today: int
    changed_at: datetime | None
    changed_for: Reason | None
    median: Tenge | None
    changes: int
    watched: timedelta


@attrs.frozen(kw_only=True)
class Decided:
    """A decision on one of our listings, by the board that was read at that moment.

    `brings` is what carrying it out is expected to bring until the board changes, in
    ten-thousandths of a tenge; `forbidden`: our live price is outside the allowed ones.
    `stands`: our offer stood on that board, so that the decision's `before` was seen there; else
    it is what was remembered.
    """

    listing: Listed
    board_at: datetime
    decision: Decision
    brings: int = 0
    forbidden: bool = False
    stands: bool = False


@attrs.frozen(kw_only=True)
class Repriced:
    """A reading, with the decisions on our listings that its boards gave rise to."""

    reading: Finding
    decided: tuple[Decided, ...]
