"""How the merchant cabinet is asked, and how its answers are read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from domain.cabinet import CabinetOffer, CabinetPage, Point, Receipt, Refusal
from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from partners.call import Answer
from partners.kaspi.cabinet import (
    BLOCK_SECONDS,
    Cabinet,
    NotACabinet,
    NothingToSell,
    address_block,
    change,
    is_signed_out,
    read_page,
    read_receipts,
)
from partners.kaspi.storefront import BlockKind

RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded" / "kaspi_merchant"
STORE = MerchantId("30000001")
ALMATY, ASTANA = CityId("750000000"), CityId("710000000")
CABINET = Cabinet(address="http://127.0.0.1:1", cookies="mc-sid=s")


def answer(said: object, status: int = 200, **headers: str) -> Answer:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=body, address="http://127.0.0.1:1", headers=told)


def item(**more: Any) -> dict[str, Any]:
    """An article on sale at two points, of which only the first keeps count."""
    defaults: dict[str, Any] = {
        "merchantUid": "30000001",
        "sku": "kettle",
        "masterSku": "104500100",
        "masterTitle": "Чайник",
        "model": "Tulpar T-200",
        "available": True,
        "price": 9000,
        "availabilities": [
            {"available": "yes", "storeId": "30000001_PP1", "stockCount": 5, "preOrder": 0,
             "stockEnabled": True, "stockSpecified": True},
            {"available": "no", "storeId": "30000001_PP10", "stockCount": 0, "preOrder": 7,
             "stockEnabled": False, "stockSpecified": False},
        ],
        "cityPrices": [{"value": 9500, "cityId": "710000000", "oldprice": 0}],
        "allCityPrices": {"750000000": {"price": 9000, "oldPrice": None}},
        "updatedAt": "2025-05-06T09:46:26.558981123Z",
        "archivedAt": None,
        "offerError": None,
        "something": ["new"],
    }  # fmt: skip
    return {**defaults, **more}


def read(*items: Mapping[str, Any], total: int | None = None) -> CabinetPage:
    page = read_page(answer({"data": items, "total": total or len(items)}), STORE)
    assert isinstance(page, CabinetPage)
    return page


KETTLE = read(item()).offers[0]


def recorded(name: str) -> dict[str, Any]:
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"{path.name}: recorded answers are not on this machine")
    said: dict[str, Any] = json.loads(path.read_bytes())
    return said


def test_an_article_is_read_with_every_field() -> None:
    assert (
        CabinetOffer(
            store=STORE,
            sku="kettle",
            kaspi_id=ProductId("104500100"),
            title="Чайник",
            model="Tulpar T-200",
            brand=None,
            price=Tenge(9_000),
            city_prices={ASTANA: Tenge(9_500)},
            prices={ALMATY: Tenge(9_000)},
            points=(
                Point(id="30000001_PP1", available=True, stock=5),
                Point(id="30000001_PP10", available=False, stock=None, preorder_days=7),
            ),
            on_sale=True,
            errors=(),
            updated_at=datetime(2025, 5, 6, 9, 46, 26, 558_981, tzinfo=UTC),
            archived_at=None,
        )
        == KETTLE
    )
    assert (KETTLE.price_in(ASTANA), KETTLE.price_in(ALMATY)) == (9_500, 9_000)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param(
            "bff_offer_view_list.active_after_price_change.json",
            {
                "price": 670,
                "city_prices": {ALMATY: 670, ASTANA: 670},
                "points": (
                    Point(id="30000001_PP2", available=True, stock=590),
                    Point(id="30000001_PP10", available=True, stock=570),
                ),
                "on_sale": True,
                "errors": (),
                "archived_at": None,
            },
            id="on sale",
        ),
        pytest.param(
            "bff_offer_view_list.removed_no_availabilities.json",
            {
                "price": None,
                "city_prices": {},
                "points": (),
                "on_sale": False,
                "errors": ("NO_AVAILABILITIES",),
                "archived_at": datetime(2025, 5, 6, 10, 2, 34, 668_000, tzinfo=UTC),
            },
            id="taken off",
        ),
    ],
)
def test_recorded_articles_are_read(name: str, wanted: dict[str, Any]) -> None:
    said = recorded(name)
    [offer] = read(*said["data"], total=said["total"]).offers
    assert {field: getattr(offer, field) for field in wanted} == wanted
    assert (offer.sku, offer.kaspi_id) == ("113744482_000573024", "113744482")
    assert len(offer.prices) == len(said["data"][0]["allCityPrices"])


def test_a_change_is_as_it_was_recorded() -> None:
    theirs = recorded("mc_process_request_response.json")["single_price_and_stock"]
    offer = attrs.evolve(
        KETTLE,
        sku=theirs["request"]["sku"],
        model=theirs["request"]["model"],
        city_prices={},
        points=(Point(id="30000001_PP1", available=True, stock=5),),
    )
    assert change(offer, {ASTANA: Tenge(8_699)}) == theirs["request"]
    [receipt] = read_receipts(answer(theirs["response"]), 1)
    assert receipt.number == theirs["response"]["id"]


def test_everything_but_the_price_is_said_again() -> None:
    assert change(KETTLE, {ALMATY: Tenge(8_999)}) == {
        "merchantUid": "30000001",
        "sku": "kettle",
        "model": "Tulpar T-200",
        "cityPrices": [
            {"cityId": "710000000", "value": 9_500},
            {"cityId": "750000000", "value": 8_999},
        ],
        "availabilities": [
            {"available": "yes", "storeId": "30000001_PP1", "stockCount": 5},
            {"available": "no", "storeId": "30000001_PP10", "preOrder": 7},
        ],
    }


@pytest.mark.parametrize(
    "off",
    [
        pytest.param({"on_sale": False}, id="taken off sale"),
        pytest.param({"points": ()}, id="no point named"),
        pytest.param({"points": (Point(id="p", available=False),)}, id="no point has goods"),
        pytest.param({"points": (Point(id="p", available=True, stock=0),)}, id="nothing is left"),
    ],
)
def test_goods_that_are_not_on_sale_get_no_price(off: dict[str, Any]) -> None:
    with pytest.raises(NothingToSell, match="kettle of 30000001"):
        CABINET.change_price(attrs.evolve(KETTLE, **off), {ALMATY: Tenge(9_000)})


def test_several_prices_go_in_one_question() -> None:
    call = CABINET.change_prices([(KETTLE, {ALMATY: Tenge(8_999)}), (KETTLE, {})])
    assert (call.method, urlsplit(call.address).path) == (
        "POST",
        "/pricefeed/upload/merchant/process/process/batch",
    )
    assert json.loads(call.body) == [change(KETTLE, {ALMATY: Tenge(8_999)}), change(KETTLE, {})]
    assert call.headers["Cookie"] == "mc-sid=s"
    assert "mc-sid" not in repr(CABINET)


def test_the_list_is_asked_page_by_page() -> None:
    call = CABINET.offers(STORE, 3, on_sale=False, search="чай")
    told = parse_qs(urlsplit(call.address).query)
    assert told == {"m": ["30000001"], "p": ["3"], "l": ["100"], "a": ["false"], "t": ["чай"]}


@pytest.mark.parametrize(
    ("heard", "kind", "pause"),
    [
        pytest.param(answer({}, 401), Refusal.SESSION_GONE, None, id="401"),
        pytest.param(answer(b"", 302), Refusal.SESSION_GONE, None, id="sent to the login"),
        pytest.param(answer({}, 403), Refusal.FORBIDDEN, None, id="403 in JSON"),
        pytest.param(answer(b"<html>", 403), Refusal.NOT_A_CABINET, None, id="403 as a page"),
        pytest.param(answer(b" <html>", 200), Refusal.NOT_A_CABINET, None, id="200 as a page"),
        pytest.param(answer(b"", 526), Refusal.UNAVAILABLE, None, id="526"),
        pytest.param(answer({}, 400), Refusal.REJECTED, None, id="400"),
        pytest.param(answer(b"<html>", 429), Refusal.BLOCKED, BLOCK_SECONDS, id="429"),
        pytest.param(answer({}, 429, retry_after="60"), Refusal.BLOCKED, 60, id="429 that says"),
    ],
)
def test_a_refusal_is_never_taken_for_an_answer(
    heard: Answer, kind: Refusal, pause: int | None
) -> None:
    for receipt in (read_page(heard, STORE), *read_receipts(heard, 2)):
        assert isinstance(receipt, Receipt)
        assert not receipt.accepted
        assert (receipt.refusal, receipt.pause) == (kind, pause)


@pytest.mark.parametrize(
    ("said", "count"),
    [
        pytest.param({"status": "success"}, 1, id="another answer"),
        pytest.param([{"id": "a"}], 2, id="one receipt for two prices"),
        pytest.param(b"{", 1, id="half an answer"),
    ],
)
def test_what_is_no_receipt_accepts_nothing(said: object, count: int) -> None:
    receipts = read_receipts(answer(said), count)
    assert [one.refusal for one in receipts] == [Refusal.NOT_A_CABINET] * count


def test_receipts_come_in_the_order_of_the_prices() -> None:
    receipts = read_receipts(answer([{"id": "a"}, {"id": "b"}]), 2)
    assert [one.number for one in receipts] == ["a", "b"]


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        pytest.param(item(price=9000.5), ["item 0", "kettle", "9000.5"], id="part of a tenge"),
        pytest.param(item(price=-1), ["item 0", "-1"], id="less than nothing"),
        pytest.param(item(merchantUid="7"), ["item 0", "is of 7"], id="somebody else's goods"),
        pytest.param(item(sku=None), ["item 0", "sku"], id="no article"),
        pytest.param(item(sku=""), ["item 0", "its article"], id="an empty article"),
        pytest.param(item(price="dear"), ["item 0 (kettle)", "price"], id="a price in words"),
        pytest.param(
            item(availabilities=[{"available": "yes", "storeId": "p", "preOrder": 31}]),
            ["item 0 (kettle)", "point 'p'", "31 days"],
            id="more days of preorder than there can be",
        ),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_read(
    spoilt: dict[str, Any], words: list[str]
) -> None:
    page = read(spoilt, item(sku="toaster"))
    assert [offer.sku for offer in page.offers] == ["toaster"]
    [sentence] = page.unreadable
    assert not [word for word in words if word not in sentence]


def at_first(**more: Any) -> dict[str, Any]:
    """The article with its first point said otherwise."""
    first, second = item()["availabilities"]
    return item(availabilities=[{**first, **more}, second])


def without(*names: str) -> dict[str, Any]:
    return {name: said for name, said in item().items() if name not in names}


FIRST = Point(id="30000001_PP1", available=True, stock=5)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        pytest.param(
            item(masterSku=104500100), {"kaspi_id": "104500100"}, id="a product as number"
        ),
        pytest.param(item(sku=12), {"sku": "12"}, id="an article as number"),
        pytest.param(item(merchantUid=30000001), {"store": STORE}, id="a merchant as number"),
        pytest.param(without("merchantUid"), {"store": STORE}, id="no merchant"),
        pytest.param(item(price=9990.0), {"price": 9_990}, id="9990.0"),
        pytest.param(item(price="9990"), {"price": 9_990}, id="a price as text"),
        pytest.param(item(price=None), {"price": None}, id="null as price"),
        pytest.param(without("price"), {"price": None}, id="no price"),
        pytest.param(item(availabilities=[]), {"points": ()}, id="no points"),
        pytest.param(without("availabilities"), {"points": ()}, id="nothing on points"),
        pytest.param(
            without("title", "masterTitle", "model", "brand"),
            {"title": None, "model": None, "brand": None},
            id="no names",
        ),
        pytest.param(
            item(cityPrices=[{"value": "9500.0", "cityId": 710000000}]),
            {"city_prices": {ASTANA: 9_500}},
            id="a city as number",
        ),
        pytest.param(item(cityPrices=None), {"city_prices": {}}, id="null as prices of cities"),
        pytest.param(item(cityPrices=[]), {"city_prices": {}}, id="no prices of cities"),
        pytest.param(item(allCityPrices=None), {"prices": {}}, id="null as prices in cities"),
        pytest.param(item(allCityPrices={"7": None}), {"prices": {}}, id="null as price in a city"),
        pytest.param(item(points=[{"id": "PP1"}]), {"sku": "kettle"}, id="points of another form"),
        pytest.param(item(offerError={}), {"errors": ()}, id="an error without codes"),
        pytest.param(item(updatedAt="yesterday"), {"updated_at": None}, id="no moment"),
    ],
)
def test_an_unseen_article_is_read(said: dict[str, Any], wanted: dict[str, Any]) -> None:
    page = read(said)
    assert page.unreadable == ()
    assert {name: getattr(page.offers[0], name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("said", "point"),
    [
        pytest.param({"stockCount": "5"}, FIRST, id="pieces as text"),
        pytest.param({"stockCount": 5.0}, FIRST, id="5.0 pieces"),
        pytest.param({"preOrder": "3"}, attrs.evolve(FIRST, preorder_days=3), id="days as text"),
        pytest.param({"preOrder": None}, FIRST, id="null as days"),
        pytest.param({"stockCount": None}, attrs.evolve(FIRST, stock=None), id="null as pieces"),
        pytest.param(
            {"stockSpecified": False}, attrs.evolve(FIRST, stock=None), id="pieces nobody counts"
        ),
        pytest.param(
            {"stockSpecified": None}, attrs.evolve(FIRST, stock=None), id="null: no count"
        ),
        pytest.param(
            {"stockSpecified": False, "stockCount": -1},
            attrs.evolve(FIRST, stock=None),
            id="nonsense where nobody counts",
        ),
    ],
)
def test_an_unseen_point_is_read(said: dict[str, Any], point: Point) -> None:
    assert read(at_first(**said)).offers[0].points[0] == point


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        pytest.param(item(price="NaN"), ["NaN", "whole number of tenge"], id="NaN"),
        pytest.param(item(price="Infinity"), ["Infinity"], id="without end"),
        pytest.param(item(price=True), ["decimal", "bool", "price"], id="a truth as price"),
        pytest.param(item(price="9 990"), ["decimal", "price"], id="a price with a blank"),
        pytest.param(item(price=10**12), ["1000000000000"], id="a price that nothing costs"),
        pytest.param(item(available="true"), ["bool", "available"], id="on sale as text"),
        pytest.param(without("available"), ["available"], id="nothing on its sale"),
        pytest.param(item(sku=" "), ["its article"], id="an article of blanks"),
        pytest.param(item(masterSku="abc"), ["its product 'abc'"], id="a product in letters"),
        pytest.param(
            item(availabilities={}), ["array", "availabilities"], id="points that are none"
        ),
        pytest.param(at_first(available="YES"), ["PP1", "'YES'", "yes or no"], id="YES"),
        pytest.param(at_first(available="maybe"), ["'maybe'", "yes or no"], id="maybe"),
        pytest.param(at_first(available=True), ["availabilities[0].available"], id="a truth"),
        pytest.param(at_first(storeId=""), ["no code", "storeId"], id="a point without a code"),
        pytest.param(at_first(storeId=None), ["availabilities[0].storeId"], id="null as point"),
        pytest.param(at_first(stockCount=5.5), ["5.5 is not a whole"], id="half a piece"),
        pytest.param(at_first(stockCount=-1), ["-1 pieces"], id="less than no piece"),
        pytest.param(at_first(stockCount="много"), ["stockCount"], id="pieces in words"),
        pytest.param(at_first(preOrder=-1), ["-1 days"], id="days below nothing"),
        pytest.param(at_first(storeId="30000001_PP10"), ["twice"], id="a point in two minds"),
        pytest.param(
            item(cityPrices=[{"value": 1, "cityId": ""}]), ["has no city"], id="a price of no city"
        ),
        pytest.param(item(cityPrices=[{"value": 1}]), ["cityId"], id="a city that is missing"),
        pytest.param(
            item(cityPrices=[{"value": 1, "cityId": "7"}, {"value": 2, "cityId": "7"}]),
            ["city 7 has two prices, 1 and 2"],
            id="two prices of a city",
        ),
        pytest.param(item(allCityPrices={"7": {"price": 0.5}}), ["0.5"], id="half a tenge"),
        pytest.param(item(offerError="x"), ["offerError"], id="an error in words"),
    ],
)
def test_an_unseen_article_is_refused_with_its_place(
    spoilt: dict[str, Any], words: list[str]
) -> None:
    page = read(spoilt, item(sku="toaster"))
    assert [offer.sku for offer in page.offers] == ["toaster"]
    [sentence] = page.unreadable
    assert not [word for word in ("item 0", *words) if word not in sentence]


def test_bytes_that_are_no_text_spoil_one_article_alone() -> None:
    body = json.dumps({"data": [item(), item(sku="toaster")], "total": 2}, ensure_ascii=False)
    page = read_page(answer(body.replace("Чайник", "!", 1).encode().replace(b"!", b"\xd7")), STORE)
    assert isinstance(page, CabinetPage)
    assert [offer.sku for offer in page.offers] == ["toaster"]
    assert "item 0 (kettle)" in page.unreadable[0]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"data": [item()]}, id="no total"),
        pytest.param({"data": [item()], "total": "1"}, id="a total as text"),
        pytest.param({"total": 0}, id="no data"),
        pytest.param({"data": {}, "total": 0}, id="data of another form"),
        pytest.param([item()], id="a bare list"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(json.dumps({"data": [item()], "total": 1}).encode()[:100], id="cut off"),
        pytest.param({"error": "x", "status": 500}, id="an error in JSON"),
    ],
)
def test_an_unseen_answer_is_no_list(said: object) -> None:
    with pytest.raises(NotACabinet, match="the list of 30000001 cannot be read"):
        read_page(answer(said), STORE)


@pytest.mark.parametrize(
    ("base", "new", "told"),
    [
        pytest.param(9_000, 8_999, 9_000, id="it stays when a city becomes cheaper"),
        pytest.param(9_000, 9_500, 9_500, id="it is never below the lowest new price"),
        pytest.param(None, 9_500, None, id="it is not said when it is not known"),
    ],
)
def test_a_base_price_is_said_where_that_is_wanted(
    base: Tenge | None, new: Tenge, told: Tenge | None
) -> None:
    offer = attrs.evolve(KETTLE, price=base)
    prices = {ALMATY: new}
    wanting = attrs.evolve(CABINET, names_base=True)
    assert json.loads(wanting.change_price(offer, prices).body).get("price") == told
    assert "price" not in json.loads(CABINET.change_price(offer, prices).body)


@pytest.mark.parametrize(
    ("heard", "kind"),
    [
        pytest.param(answer({}, 401), None, id="the session is gone"),
        pytest.param(answer(b"", 302), None, id="sent to the login"),
        pytest.param(answer({}, 403), None, id="403 in JSON: not the account's store"),
        pytest.param(answer({}, 429), None, id="429 in JSON: the account asks too fast"),
        pytest.param(answer({"data": []}), None, id="an answer"),
        pytest.param(answer(b"<html>", 403), BlockKind.FORBIDDEN, id="403 as a page"),
        pytest.param(answer(b"<html>", 429), BlockKind.TOO_MANY_REQUESTS, id="429 as a page"),
        pytest.param(answer(b"<html>", 526), BlockKind.SERVER_ERROR, id="526"),
        pytest.param(answer(b"<html>"), BlockKind.HTML_INSTEAD_OF_JSON, id="a page"),
        pytest.param(answer(b'{"data": ['), BlockKind.TRUNCATED, id="half an answer"),
    ],
)
def test_only_what_is_said_to_the_address_rests_an_exit(
    heard: Answer, kind: BlockKind | None
) -> None:
    block = address_block(heard, "json")
    assert (block and block.kind) == kind


def test_a_block_of_pushes_is_the_accounts() -> None:
    pushed = attrs.evolve(answer(b"<html>", 429), address="http://127.0.0.1:1/pricefeed/upload/x")
    assert address_block(pushed, "json") is None


@pytest.mark.parametrize(
    ("heard", "gone"),
    [
        pytest.param(answer({}, 401), True, id="401"),
        pytest.param(answer(b"", 302, location="http://h/oauth2/authorization/1"), True, id="302"),
        pytest.param(answer(b"", 303, location="http://idmc/login"), True, id="to the login"),
        pytest.param(answer(b"", 302, location="https://kaspi.kz/mc/"), False, id="elsewhere"),
        pytest.param(answer({}, 403), False, id="403"),
        pytest.param(answer({}), False, id="an answer"),
    ],
)
def test_a_gone_session_is_known(heard: Answer, gone: bool) -> None:
    assert is_signed_out(heard, "http://idmc") is gone


def test_a_list_that_is_none_is_named() -> None:
    with pytest.raises(NotACabinet, match="the list of 30000001 cannot be read"):
        read_page(answer({"data": None}), STORE)
