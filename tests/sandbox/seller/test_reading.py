"""How price lists are read: what is refused whole, what costs a row, and why it says so."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest

from domain.identity import MerchantId
from sandbox.seller import list_xlsx, list_xml
from sandbox.seller.lists import ListRefused, PriceList, Reader, gathered
from sandbox.seller.switches import SellerSwitches
from tests.sandbox.seller.writing import catalog, offer, workbook

YES = '<availability available="yes" storeId="PP1"/>'
OK = offer("1", 5, YES)
CITIES = '<cityprices><cityprice cityId="1">5</cityprice></cityprices>'
READER = Reader(merchant=MerchantId("M"), points=["M_PP1", "M_PP2"], known=["1", "2"])
LENIENT = SellerSwitches(bad_rows="skip")


def read(body: bytes, switches: SellerSwitches | None = None) -> PriceList:
    how = switches or SellerSwitches()
    if body.startswith(b"PK"):
        return gathered(list_xlsx.rows(BytesIO(body), READER, how), READER, how)
    return gathered(list_xml.rows(BytesIO(body), READER), READER, how)


WRONG = [
    pytest.param(
        offer("1", 5, "")
        .replace("<availabilities></availabilities>", "")
        .replace("</offer>", f"<availabilities>{YES}</availabilities></offer>"),
        id="availabilities after the price",
    ),
    pytest.param(
        OK.replace("<brand/>", "").replace("<model>", "<brand/><model>"),
        id="the brand before the model",
    ),
    pytest.param(
        OK.replace("<model>A &amp; B</model>", "").replace("</offer>", "<model>A</model></offer>"),
        id="the model at the end",
    ),
]


@pytest.mark.parametrize("row", WRONG)
@pytest.mark.parametrize("switches", [SellerSwitches(), LENIENT], ids=["strictly", "leniently"])
def test_a_wrong_order_costs_the_whole_list(row: str, switches: SellerSwitches) -> None:
    with pytest.raises(ListRefused, match="line 6: wrong order in offer 1"):
        read(catalog("M", offer("2", 5, YES), row).replace(b"\n<offers>", b"<offers>"), switches)


BAD = [
    pytest.param(offer("1", "5.5", YES), "not a whole number", id="a fraction"),
    pytest.param(offer("1", "1 000", YES), "not a whole number", id="a space in the price"),
    pytest.param(offer("1", 0, YES), "not a price", id="no price"),
    pytest.param(OK.replace("</offer>", f"{CITIES}</offer>"), "either price", id="both prices"),
    pytest.param(OK.replace("<price>5</price>", ""), "either price", id="neither price"),
    pytest.param(offer("1", 5, YES.replace("/>", ' preOrder="31"/>')), "30 days", id="31 days"),
    pytest.param(offer("1", 5, YES.replace("yes", "maybe")), "is not right", id="maybe"),
    pytest.param(offer("1", 5, YES.replace("/>", ' x="1"/>')), "is not right", id="an attribute"),
    pytest.param(offer("1", 5, YES.replace("PP1", "")), "is not right", id="no point"),
    pytest.param(offer("1", 5, ""), "no availability", id="no availability"),
    pytest.param(OK.replace("<brand/>", "<barcode/>"), "barcode is not expected", id="a barcode"),
    pytest.param(OK.replace("<brand/>", "<brand/><brand/>"), "brand is not", id="two brands"),
    pytest.param(OK.replace("<model>A &amp; B</model>", ""), "model", id="no model"),
    pytest.param(f"{OK}\n{OK}", "sku 1 twice", id="the same sku twice"),
    pytest.param(offer("1", 5, YES, cities=[""]), "without cityId", id="no city"),
    pytest.param(offer("A" * 21, 5, YES), "20 latin letters", id="21 characters"),
    pytest.param(offer("арт 1", 5, YES), "20 latin letters", id="other letters"),
]


@pytest.mark.parametrize(("row", "why"), BAD)
def test_a_bad_row_costs_the_list_or_itself(row: str, why: str) -> None:
    body = catalog("M", row, offer("2", 5, YES))
    with pytest.raises(ListRefused, match=rf"line \d+: .*{why}"):
        read(body)
    told = read(body, LENIENT)
    assert [change.sku for change in told.changes][-1] == "2"
    assert len(told.skipped) == 1
    assert why in told.skipped[0]


@pytest.mark.parametrize("sku", ["A" * 21, "арт 1"])
def test_long_skus_may_be_taken(sku: str) -> None:
    told = read(catalog("M", offer(sku, 5, YES)), SellerSwitches(long_skus="taken"))
    assert (told.rows, told.skipped) == (1, ())


def test_the_cabinets_own_skus_are_right() -> None:
    assert read(catalog("M", offer("123456789_123456789", 5, YES))).rows == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "not XML", id="nothing"),
        pytest.param(b"<html>", "no kaspi_catalog", id="a page"),
        pytest.param(catalog("M", OK)[:-40], "not XML", id="half a list"),
        pytest.param(catalog("M"), "no offer", id="no offers"),
        pytest.param(catalog("1", OK), "is not ours", id="another merchant's"),
        pytest.param(
            catalog("M", OK).replace(b'"kaspiShopping"', b'"other"'),
            "no kaspi_catalog",
            id="another namespace",
        ),
        pytest.param(
            catalog("M", OK).replace(b"<company>C</company>\n", b""), "wrong order", id="no company"
        ),
        pytest.param(catalog("M", "<goods/>"), "goods is not expected", id="goods that are none"),
        pytest.param(b"PK but no workbook", "not a workbook", id="half a workbook"),
        pytest.param(
            workbook(["1", "M", "B", 5, "yes"], columns=["sku", "model", "brand", "price", "PP1"]),
            "expected SKU, model",
            id="other columns",
        ),
    ],
)
def test_what_is_no_list_is_refused(body: bytes, why: str) -> None:
    for switches in (SellerSwitches(), LENIENT):
        with pytest.raises(ListRefused, match=why):
            read(body, switches)


def test_no_entity_and_no_other_file_is_read() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY price SYSTEM "file:///etc/hostname">]>\n<kaspi_catalog'
    body = catalog("M", offer("1", "&price;", YES)).replace(b"<kaspi_catalog", entity, 1)
    with pytest.raises(ListRefused, match="not a whole number"):
        read(body)


def row(*cells: object, sku: object = "1", price: object = 5, preorder: object = None) -> Any:
    points: Sequence[object] = (*cells, None, None, None, None, None)[:5]
    return [sku, "Модель", "Без бренда", price, *points, preorder]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        pytest.param(row("yes", price=5.5), "not a whole number", id="a fraction"),
        pytest.param(row("yes", price="1 000"), "not a whole number", id="a space"),
        pytest.param(row("yes", price=None), "not a whole number", id="no price"),
        pytest.param(row("yes", preorder=31), "not 1 to 30", id="31 days"),
        pytest.param(row("yes", preorder=0), "not 1 to 30", id="no days"),
        pytest.param(row("maybe"), "not a whole number", id="maybe"),
        pytest.param(row("yes", sku=123), "is not text", id="a sku that is a number"),
    ],
)
def test_bad_rows_of_workbooks(cells: Sequence[object], why: str) -> None:
    with pytest.raises(ListRefused, match=f"line 2: .*{why}"):
        read(workbook(cells))
    assert len(read(workbook(cells), LENIENT).skipped) == 1
