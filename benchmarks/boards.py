"""Canned boards: twenty offers a product, whose prices move from one sweep to the next.

The fields are those of a recorded answer (2026-09): `LEAN` offers carry the ones that every
offer has and make boards of about 8 KB, `FULL` ones carry all and make boards of about 13 KB.
"""

import gzip
from collections.abc import Iterator, Sequence

import attrs
import msgspec

#: Offers on each board.
OFFERS = 20
#: Products are numbered from here.
FIRST_PRODUCT = 100_000_000
#: Offers of a changed board that get another price: one seller moved, one answered.
MOVED = (3, 11)

#: The merchant of the second cheapest offer, whom a benchmark prices.
OURS = "10137911"

LEAN = "lean"
FULL = "full"


def product_ids(count: int) -> list[str]:
    """The ids of the first products."""
    return [str(FIRST_PRODUCT + number) for number in range(count)]


@attrs.define
class Market:
    """What every board shows now. A sweep changes a share of them, in percent."""

    shape: str = LEAN
    sweeps: list[int] = attrs.field(factory=list)
    _packed: dict[tuple[int, int], bytes] = attrs.field(factory=dict)
    _template: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._template = template(self.shape)

    def sweep(self, changed: int, products: int) -> None:
        """Move the prices on `changed` percent of the boards, and pack the new answers."""
        self.sweeps.append(changed)
        self._packed.clear()
        for product in range(FIRST_PRODUCT, FIRST_PRODUCT + products):
            self.packed(product)

    def body(self, product: int) -> bytes:
        """The answer as JSON."""
        return (self._template % tuple(self._values(product))).encode()

    def packed(self, product: int) -> bytes:
        """The answer as it travels: the storefront packs its answers, and so does this one."""
        version = self._version(product)
        packed = self._packed.get((product, version))
        if packed is None:
            packed = gzip.compress(self.body(product), compresslevel=1, mtime=0)
            self._packed[product, version] = packed
        return packed

    def _version(self, product: int) -> int:
        """How many sweeps have changed this board."""
        return sum(
            (product * 2_654_435_761 + sweep * 40_503) % 100 < changed
            for sweep, changed in enumerate(self.sweeps)
        )

    def _values(self, product: int) -> Iterator[object]:
        version = self._version(product)
        cheapest = 10_000 + product * 7_919 % 500_000
        for place in range(OFFERS):
            moved = version * 7 if place in MOVED else 0
            yield from (product, cheapest + 500 * place + moved)


def template(shape: str) -> str:
    """A board's JSON with holes for each offer's product and price."""
    lines = ",".join(_line(place, shape) for place in range(OFFERS))
    return f'{{"offers":[{lines}],"total":{OFFERS},"offersCount":{OFFERS}}}'


def _line(place: int, shape: str) -> str:
    merchant = 10_000_000 + place * 137_911
    told: dict[str, object] = {
        "masterSku": "PRODUCT",
        "merchantId": str(merchant),
        "merchantName": f"Магазин {place}",
        "merchantSku": f"{merchant}_940231519",
        "merchantReviewsQuantity": 37 * place + 4,
        "merchantRating": 4.0 + place % 10 / 10,
        "price": "PRICE",
        "delivery": f"2027-01-{1 + place:02}T18:00:00.000+00:00",
        "kaspiDelivery": place % 3 != 0,
        "preorder": 0,
        "deliveryType": "TO_DOOR",
        "deliveryDuration": "TILL_5_DAYS",
        "kdPoints": [f"{merchant}_PP1"],
        "locatedInPoint": f"{merchant}_PP1",
    }
    if shape == FULL:
        told |= _everything_else(merchant, place)
    line = msgspec.json.encode(told).decode().replace("%", "%%")
    return line.replace('"PRODUCT"', '"%d"').replace('"PRICE"', "%d.0")


def _everything_else(merchant: int, place: int) -> dict[str, object]:
    return {
        "masterCategory": "Master - Smartphones",
        "title": f"Смартфон Apple iPhone 13 128Gb Midnight черный, {place}",
        "deliveryMovedBySlot": False,
        "kdPickupDate": "2027-01-01T15:00:00.000+00:00",
        "availabilityDate": "2027-01-01T17:52:23.745+00:00",
        "pickup": "2027-01-02T19:00:00.000+00:00",
        "postomat": f"2027-01-{1 + place:02}T18:00:00.000+00:00",
        "pointsWithAvailability": [f"{merchant}_PP1"],
    }


def sizes(shapes: Sequence[str] = (LEAN, FULL)) -> dict[str, int]:
    """Bytes of a board of each shape."""
    return {shape: len(Market(shape=shape).body(FIRST_PRODUCT)) for shape in shapes}
