"""The whole seller's side of one world: accounts, stores, desks, and the clock they count by."""

import secrets
import time
from collections.abc import Callable, Sequence

import attrs
from aiohttp import web

from domain.identity import MerchantId
from sandbox.seller.accounts import Account, Mailbox, accounts
from sandbox.seller.applying import Queue
from sandbox.seller.book import Book
from sandbox.seller.entrance import Entrance
from sandbox.seller.files import Files
from sandbox.seller.limits import Limits
from sandbox.seller.pulls import Puller
from sandbox.seller.pushes import PushDesk
from sandbox.seller.reads import ReadDesk
from sandbox.seller.sessions import Sessions
from sandbox.seller.shelf import Shelf
from sandbox.seller.signing import SignInDesk
from sandbox.seller.stocking import busiest
from sandbox.seller.switches import SellerSwitches
from sandbox.seller.uploads import UploadDesk
from sandbox.world import World


@attrs.frozen(kw_only=True)
class Shops:
    """Which merchants are ours: the stores of each account; none said is the busiest merchant.

    `password` is every account's; None makes one up, told at /sandbox/seller.
    """

    stores: Sequence[Sequence[MerchantId]] = ()
    password: str | None = None
    switches: SellerSwitches = attrs.Factory(SellerSwitches)


@attrs.define
class Seller:
    """Everything of the seller's side. Raises LookupError for a merchant who sells nothing."""

    world: World
    shops: Shops
    real_seconds: Callable[[], float] = time.monotonic
    switches: SellerSwitches = attrs.field(init=False)
    accounts: tuple[Account, ...] = attrs.field(init=False)
    book: Book = attrs.field(init=False)
    shelves: dict[MerchantId, Shelf] = attrs.field(init=False)
    mailbox: Mailbox = attrs.field(init=False)
    sessions: Sessions = attrs.field(init=False)
    limits: Limits = attrs.field(init=False)
    queue: Queue = attrs.field(init=False)
    files: Files = attrs.field(init=False)
    puller: Puller = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.switches = self.shops.switches
        stores = self.shops.stores or [[busiest(self.world)]]
        self.accounts = accounts(stores, self.shops.password or secrets.token_urlsafe(12))
        self.book = Book(self.world.real_clock)
        merchants = [merchant for account in self.accounts for merchant in account.merchants]
        self.shelves = {one: Shelf(self.world, self.book, one) for one in merchants}
        self.mailbox = Mailbox(self._seconds)
        self.sessions = Sessions(self._seconds)
        self.limits = Limits(self._seconds)
        self.queue = Queue(self.book, self._current)
        self.files = Files(self.queue, self._current)
        self.puller = Puller(self.files, self.shelves, self._current)

    def set(self, switches: SellerSwitches) -> None:
        """Replace all switches; blocks and counts begin anew, for their clock may be another."""
        self.switches = switches
        self.limits.forget()

    def routes(self) -> list[web.RouteDef]:
        """The paths of both hosts."""
        entrance = Entrance(self.sessions, self.world, self.shelves, self._current)
        sign_in = SignInDesk(self.accounts, self.sessions, self.mailbox, self._current)
        return [
            *sign_in.routes(),
            *entrance.routes(),
            *ReadDesk(entrance).routes(),
            *PushDesk(entrance, self.queue, self.limits).routes(),
            *UploadDesk(entrance, self.files).routes(),
        ]

    def _current(self) -> SellerSwitches:
        return self.switches

    def _seconds(self) -> float:
        """The clock of limits, blocks, sessions and codes."""
        real = self.switches.clock == "real"
        return self.real_seconds() if real else self.world.now.timestamp()
