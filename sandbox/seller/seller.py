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


@attrs.define(init=False)
class Seller:
    """Everything of the seller's side. Raises LookupError for a merchant who sells nothing."""

    world: World
    switches: SellerSwitches
    accounts: tuple[Account, ...]
    book: Book
    shelves: dict[MerchantId, Shelf]
    mailbox: Mailbox
    sessions: Sessions
    limits: Limits
    queue: Queue
    files: Files
    puller: Puller

    def __init__(
        self, world: World, shops: Shops, real_clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.world, self.switches = world, shops.switches
        stores = shops.stores or [[busiest(world)]]
        self.accounts = accounts(stores, shops.password or secrets.token_urlsafe(12))
        self.book = Book(world.real_clock)
        merchants = [merchant for account in self.accounts for merchant in account.merchants]
        self.shelves = {one: Shelf(world, self.book, one) for one in merchants}

        def seconds() -> float:
            real = self.switches.clock == "real"
            return real_clock() if real else self.world.now.timestamp()

        def current() -> SellerSwitches:
            return self.switches

        self.mailbox, self.sessions, self.limits = (
            Mailbox(seconds),
            Sessions(seconds),
            Limits(seconds),
        )
        self.queue = Queue(self.book, current)
        self.files = Files(self.queue, current)
        self.puller = Puller(self.files, self.shelves, current)

    def set(self, switches: SellerSwitches) -> None:
        """Replace all switches; blocks and counts begin anew, for their clock may be another."""
        self.switches = switches
        self.limits.forget()

    def routes(self) -> list[web.RouteDef]:
        """The paths of both hosts."""
        entrance = Entrance(self.sessions, self.world, self.shelves, lambda: self.switches)
        sign_in = SignInDesk(self.accounts, self.sessions, self.mailbox, lambda: self.switches)
        return [
            *sign_in.routes(),
            *entrance.routes(),
            *ReadDesk(entrance).routes(),
            *PushDesk(entrance, self.queue, self.limits).routes(),
            *UploadDesk(entrance, self.files).routes(),
        ]
