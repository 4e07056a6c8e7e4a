"""A sandbox of one's own: a real process that sells, and tells the truth when asked."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import attrs

from sandbox.world import STOCKED

ALMATY, ASTANA = STOCKED

#: What the ledger and the memory both know of one offer: price, preorder days, seller.
Quote = tuple[int, int, str]


@attrs.frozen
class Market:
    """A running sandbox at an address."""

    address: str

    @property
    def offers(self) -> dict[str, dict[str, int]]:
        """How many offers each product has in each stocked city, in the shop's order."""
        return {card["id"]: card["offers"] for card in self._told("/sandbox/products")}

    def ledger(self, product: str, city: str, at: datetime | None = None) -> dict[str, Quote]:
        """The true board by merchant, now or at a real moment.

        The market, as its original, writes blanks behind some names; nobody wants to remember them.
        """
        when = f"?at={quote(at.isoformat())}" if at else ""
        told = self._told(f"/sandbox/ledger/{product}/{city}{when}")
        return {
            offer["merchant_id"]: (
                offer["price"],
                offer["preorder"],
                offer["merchant_name"].strip(),
            )
            for offer in told["offers"]
        }

    def answer(self, product: str, city: str) -> list[dict[str, Any]]:
        """All offers of a board as the API words them."""
        sent = {"cityId": city, "sort": True}
        answered = self._sent(f"/yml/offer-view/offers/{product}", sent)
        offers: list[dict[str, Any]] = answered["offers"]
        return offers

    def reviews(self, product: str) -> list[tuple[int, str]]:
        """All ratings of a product: stars, and a text that may be empty."""
        path = f"/yml/review-view/api/v1/reviews/product/{product}?filter=ALL&limit=100000"
        return [
            (review["rating"], review["comment"]["text"]) for review in self._told(path)["data"]
        ]

    def advance(self, minutes: int) -> dict[str, Any]:
        """Let the rivals reprice for so long; what became of all boards together."""
        told: dict[str, Any] = self._sent("/sandbox/advance", {"minutes": minutes})
        return told

    def change(self, product: str, city: str, merchant: str, **changed: object) -> None:
        """Force one offer's price or presence."""
        self._sent(
            "/sandbox/set", {"product": product, "city": city, "merchant": merchant, **changed}
        )

    def asked(self) -> int:
        """How many requests for pages, offers and reviews have come so far."""
        kinds: dict[str, int] = self._told("/sandbox/requests")["kinds"]
        return sum(count for kind, count in kinds.items() if kind != "sandbox")

    def _told(self, path: str) -> Any:
        with urlopen(f"{self.address}{path}", timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def _sent(self, path: str, body: object) -> Any:
        request = Request(f"{self.address}{path}", json.dumps(body).encode())  # noqa: S310
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def selling(directory: Path, products: int = 40, *words: str) -> Iterator[Market]:
    """A market whose process does not outlive the block. Time stands still until advanced.

    `words` are more of the sandbox's own.
    """
    told = directory / "market"
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", f"--products={products}", f"--port-file={told}", *words],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not told.exists():
            assert process.poll() is None, "the sandbox did not start"
            assert time.monotonic() < deadline, "the sandbox is not ready"
            time.sleep(0.02)
        yield Market(told.read_text(encoding="utf-8"))
    finally:
        process.kill()
        process.wait()
