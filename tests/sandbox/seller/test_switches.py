"""Every switch of the seller's side says what it is about, and stands in the docs and the help."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sandbox.seller.switches import SellerSwitches, explained_switches, read_seller_switches
from tests.sandbox.seller.conftest import Cabinet

DOCS = Path(__file__).resolve().parents[3] / "docs" / "contributing.md"


def test_every_switch_is_explained_with_its_default() -> None:
    told = explained_switches()
    assert set(told) == set(SellerSwitches.__struct_fields__)
    for name, switch in told.items():
        assert switch["about"], name
        assert switch["default"] == getattr(SellerSwitches(), name)


def test_every_switch_stands_in_the_docs_with_its_default() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, switch in explained_switches().items():
        default = msgspec.json.encode(switch["default"]).decode()
        assert f"| `{name}` | `{default}` |" in text, name


def test_the_help_names_every_switch() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for word in (*explained_switches(), "/sandbox/seller/book", "--shop", "SANDBOX_SHOP_PASSWORD"):
        assert word in told


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"stock_count": "sometimes"}',
        b'{"unknown": 1}',
        b'{"lost": 2}',
        b'{"per_second": 0}',
    ],
)
def test_what_cannot_be_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_seller_switches(body)


async def test_switches_are_set_told_and_brought_back(cabinet: Cabinet) -> None:
    told = await cabinet.control("seller/switches", {"omitted": "withdrawn"})
    assert told["set"]["omitted"] == "withdrawn"
    assert told["set"]["apply_seconds"] == 570
    assert (await cabinet.control("seller/switches", {}))["set"]["omitted"] == "kept"
    wrong = await cabinet.control("seller/switches", {"omitted": "perhaps"}, status=400)
    assert "omitted" in wrong["error"]
    assert (await cabinet.control("seller/switches"))["set"]["omitted"] == "kept"


async def test_the_book_is_read_in_pages_and_knows_its_parts(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    for price in (5, 6, 7):
        await cabinet.push({"sku": item["sku"], "price": price})
    page = await cabinet.control("seller/book/changes?first=1&most=1")
    assert [change["price"] for change in page] == [6]
    assert "changes" in (await cabinet.control("seller/book/none", status=404))["error"]
    assert (await cabinet.control("seller/goods?merchant=1", status=404))["error"]
