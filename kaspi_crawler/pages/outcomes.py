"""What a page may turn into when it is not an item."""

import attrs

from partners.kaspi.storefront import Block


@attrs.frozen
class TryAgain:
    """The data did not come, but may come when asked again.

    `reason` is the kind of block; `wait_seconds` is how long the answer itself asks us to wait.
    """

    reason: str
    remedy: str
    wait_seconds: int | None = None

    @classmethod
    def after(cls, block: Block) -> "TryAgain":
        """The outcome of a recognised block."""
        return cls(block.kind.value, block.remedy, block.wait_seconds)


@attrs.frozen
class Unreadable:
    """Something came that we do not understand: a person should look at it.

    `stateless` when it is a whole page that only lacks what it should tell: a browser may see more.
    """

    reason: str
    remedy: str
    stateless: bool = False


@attrs.frozen
class Drift:
    """One way in which an answer differs from the format we know.

    `kind` is unknown, missing, type or moved; `key` is the path to it: offers[].price.
    """

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


@attrs.define
class Witness:
    """What a page notices while it reads, beside the item.

    `loose` says that the answer did not fit at first sight and was read by what fits.
    """

    loose: bool = False
    drifts: set[Drift] = attrs.Factory(set)

    def saw(self, kind: str, key: str) -> None:
        """Note a drift that the page met on its way."""
        self.loose = True
        self.drifts.add(Drift(kind, key))
