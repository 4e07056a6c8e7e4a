"""The price feed: what is written is read again, and what Kaspi would refuse is refused first."""

import io
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as some
from lxml import etree

from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint, FeedShop, named_point
from partners.kaspi import price_feed, price_feed_check
from partners.kaspi.price_feed import BrokenFeed

SHOP = FeedShop(merchant=MerchantId("30000001"), company="Лавка", date="2026-08-13 00:37")
POINT = FeedPoint("30000001_PP1", available=True, stock=5)
KETTLE = FeedOffer(sku="kettle", model="Чайник", brand="Tefal", points=(POINT,), price=Tenge(9_990))
#: As people write feeds: an element a line.
FEED = """<?xml version="1.0" encoding="utf-8"?>
<kaspi_catalog date="2026-08-13" xmlns="kaspiShopping">
<company>Лавка</company>
<merchantid>30000001</merchantid>
<offers>
<offer sku="1">
<model>Чайник</model>
<brand>Tefal</brand>
<availabilities>
<availability available="yes" storeId="PP1" preOrder="3" stockCount="2"/>
</availabilities>
<price>9990</price>
</offer>
<offer sku="2">
<model>Лампа</model>
<availabilities>
<availability available="no" storeId="PP1"/>
</availabilities>
<cityprices>
<cityprice cityId="750000000">500</cityprice>
</cityprices>
</offer>
</offers>
</kaspi_catalog>
"""


def kettle(**changes: Any) -> FeedOffer:
    return attrs.evolve(KETTLE, **changes)


def written(*offers: FeedOffer, shop: FeedShop = SHOP) -> bytes:
    file = io.BytesIO()
    price_feed.write(file, shop, offers)
    return file.getvalue()


def read(feed: bytes) -> tuple[FeedShop, list[FeedOffer]]:
    shop, offers = price_feed.read(io.BytesIO(feed))
    return shop, list(offers)


@cache
def whole_schema() -> etree.XMLSchema:
    schema = files("partners.kaspi") / "price_feed.xsd"
    return etree.XMLSchema(etree.fromstring(schema.read_bytes()))


def plainly_valid(feed: bytes) -> bool:
    """What lxml says of the whole document at once."""
    try:
        return whole_schema().validate(etree.fromstring(feed))
    except etree.XMLSyntaxError:
        return False


def passes(feed: bytes) -> bool:
    try:
        price_feed.check(io.BytesIO(feed))
    except BrokenFeed:
        return False
    return True


# --- Written -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        pytest.param(kettle(), b"<price>9990</price>", id="one price"),
        pytest.param(
            kettle(price=None, city_prices=(CityPrice(CityId("750000000"), Tenge(7)),)),
            b'<cityprices><cityprice cityId="750000000">7</cityprice></cityprices>',
            id="a price a city",
        ),
        pytest.param(kettle(brand=""), b"<brand/>", id="no brand"),
        pytest.param(
            kettle(points=(FeedPoint("PP1", available=True, preorder=30),)),
            b'<availability available="yes" storeId="PP1" preOrder="30"/>',
            id="a preorder, and a stock that nobody counts",
        ),
        pytest.param(
            kettle(points=(FeedPoint("PP1", available=True, preorder=0),)),
            b'<availability available="yes" storeId="PP1"/>',
            id="a preorder of no days is left out",
        ),
        pytest.param(
            KETTLE.withdrawn(),
            b'<availability available="no" storeId="30000001_PP1" stockCount="0"/>',
            id="an offer that is withdrawn",
        ),
        pytest.param(
            kettle(model="""<Bosch> & "Siemens" '26"""),
            b"<model>&lt;Bosch&gt; &amp; &quot;Siemens&quot; &apos;26</model>",
            id="signs that XML writes otherwise",
        ),
        pytest.param(
            kettle(model="Чай\x00ник\r\nкрасный"),
            "<model>Чай ник  красный</model>".encode(),
            id="signs that XML forbids",
        ),
    ],
)
def test_an_offer_is_written(offer: FeedOffer, said: bytes) -> None:
    assert said in written(offer)


def test_a_feed_is_written_in_the_guides_order() -> None:
    tags = re.findall(rb"<(\w+)", written(KETTLE))
    assert tags == [
        b"kaspi_catalog", b"company", b"merchantid", b"offers", b"offer", b"model", b"brand",
        b"availabilities", b"availability", b"price",
    ]  # fmt: skip


def test_it_is_told_how_many_are_on_sale() -> None:
    figures = price_feed.write(
        io.BytesIO(), SHOP, [kettle(), kettle(sku="2").withdrawn(), kettle(sku="3", points=(
            FeedPoint("PP1", available=False), FeedPoint("PP2", available=True)))]
    )  # fmt: skip
    assert (figures.offers, figures.on_sale) == (3, 2)


@pytest.mark.parametrize(
    ("offers", "line", "said"),
    [
        pytest.param([], 5, "there is no offer", id="no offer"),
        pytest.param([kettle(price=0)], 6, "offer 'kettle': price is '0'", id="a price of nothing"),
        pytest.param([kettle(price=None)], 6, "lacks price, cityprices", id="no price"),
        pytest.param(
            [kettle(city_prices=(CityPrice(CityId("1"), Tenge(1)),))],
            6,
            "offer 'kettle': cityprices may not stand here",
            id="both kinds of prices",
        ),
        pytest.param(
            [kettle(sku="1"), kettle(points=(FeedPoint("PP1", available=True, preorder=31),))],
            7,
            "offer 'kettle': preOrder is '31'. Right is a number of days",
            id="a preorder of 31 days",
        ),
        pytest.param([kettle(points=())], 6, "availabilities lacks availability", id="no point"),
        pytest.param([kettle(model="")], 6, "model is empty", id="no model"),
        pytest.param([kettle(sku="")], 6, "sku is empty", id="no article"),
        pytest.param(
            [kettle(), *(kettle(sku=str(number)) for number in range(450)), kettle()],
            457,
            "offer 'kettle': it stands in the feed already, in line 6",
            id="an article twice, far apart",
        ),
        pytest.param(
            [*(kettle(sku=f"{number:03}") for number in range(450)), kettle(sku="007")],
            456,
            "offer '007': it stands in the feed already, in line 13",
            id="an article twice, behind many that came in order",
        ),
    ],
)
def test_a_feed_that_would_be_refused_is_not_written(
    offers: list[FeedOffer], line: int, said: str
) -> None:
    with pytest.raises(BrokenFeed) as refusal:
        price_feed.write(io.BytesIO(), SHOP, offers)
    assert refusal.value.line == line
    assert said in refusal.value.reason


# --- Refused -----------------------------------------------------------------------------------


def changed(old: str, new: str, feed: str = FEED) -> bytes:
    assert old in feed
    return feed.replace(old, new, 1).encode()


CITY_PRICES_TOO = '<cityprices><cityprice cityId="7">5</cityprice></cityprices>'
BOMB = "<!DOCTYPE bomb [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>\n"


@pytest.mark.parametrize(
    ("feed", "line", "said"),
    [
        pytest.param(
            changed('preOrder="3"', 'preOrder="31"'),
            10,
            "offer '1': preOrder is '31'. Right is a number of days from 1 to 30, or left out",
            id="a preorder of 31 days",
        ),
        pytest.param(
            changed('sku="2"', 'sku="1"'),
            14,
            "offer '1': it stands in the feed already, in line 6",
            id="an article that stands twice",
        ),
        pytest.param(
            changed("<price>9990<", "<price>9990.50<"),
            12,
            "offer '1': price is '9990.50'. Right is a whole number of tenge above 0",
            id="a price with decimals",
        ),
        pytest.param(
            changed("<price>9990<", "<price>9 990 ₸<"), 12, "price is '9 990 ₸'", id="a price text"
        ),
        pytest.param(
            changed('">500<', '">0<'), 20, "offer '2': cityprice is '0'", id="a city price of 0"
        ),
        pytest.param(changed("<price>9990<", "<price>+9990<"), 12, "is '+9990'", id="a sign"),
        pytest.param(changed("9990", "9" * 5_000), 12, "price is '999", id="a price without end"),
        pytest.param(
            changed('stockCount="2"', f'stockCount="{"9" * 5_000}"'),
            10,
            "stockCount is '999",
            id="a stock without end",
        ),
        pytest.param(
            changed('available="yes"', 'available="maybe"'),
            10,
            "offer '1': available is 'maybe'. Right is yes or no",
            id="available: maybe",
        ),
        pytest.param(
            changed('stockCount="2"', 'stockCount="2.5"'),
            10,
            "stockCount is '2.5'. Right is a whole number of pieces",
            id="half a piece",
        ),
        pytest.param(
            changed("</price>", f"</price>\n{CITY_PRICES_TOO}"),
            13,
            "offer '1': cityprices may not stand here",
            id="both kinds of prices",
        ),
        pytest.param(
            changed("</price>", "</price>\n<barcode>4600000000000</barcode>"),
            13,
            "offer '1': barcode may not stand here",
            id="an element that the format does not have",
        ),
        pytest.param(
            changed("<availabilities>", "<price>1</price>\n<availabilities>"),
            9,
            "price may not stand here, but availabilities. Right is this order: model, brand",
            id="the price before the points",
        ),
        pytest.param(
            re.sub("<offer .*</offer>", "", FEED, flags=re.DOTALL).encode(),
            5,
            "there is no offer",
            id="no offer",
        ),
        pytest.param(
            changed('xmlns="kaspiShopping"', 'xmlns="yml"'),
            2,
            "kaspi_catalog in the namespace 'yml'. Right is <kaspi_catalog xmlns=",
            id="another namespace",
        ),
        pytest.param(
            changed(' xmlns="kaspiShopping"', ""), 2, "no namespace", id="no namespace"
        ),
        pytest.param(
            changed("?>\n", f"?>\n{BOMB}").replace("Чайник".encode(), b"&c;"),
            2,
            "no document type",
            id="a bomb of entities",
        ),
        pytest.param(
            changed("Чайник", "Чайник&nbsp;красный"), 7, "an entity that XML", id="an HTML entity"
        ),
        pytest.param(changed("Чайник", "Tom & Jerry"), 7, "written &amp;", id="a bare &"),
        pytest.param(
            FEED.replace("utf-8", "windows-1251").encode("cp1251"),
            1,
            "encoding is windows-1251. Right is UTF-8",
            id="windows-1251, and it says so",
        ),
        pytest.param(FEED.encode("cp1251"), 3, "not UTF-8", id="windows-1251 that says UTF-8"),
        pytest.param(FEED.encode("utf-16"), 1, "not UTF-8", id="UTF-16"),
        pytest.param(FEED.encode()[:-60], 20, "ends too soon", id="a feed that is cut off"),
        pytest.param(b"", 1, "ends too soon", id="an empty file"),
        pytest.param(b"<html><body>502</body></html>", 1, "html in no namespace", id="HTML"),
        pytest.param(
            changed("</model>", "</modell>"), 7, "is closed that was not", id="a wrong end"
        ),
        pytest.param(FEED.encode() + b"<more/>", 25, "behind </kaspi_catalog>", id="more behind"),
        pytest.param(
            changed("</offers>", "</offers>\n<offers/>"), 24, "offers may not", id="offers twice"
        ),
        pytest.param(
            changed("</offers>", "sale!</offers>"), 5, "text in offers", id="text between offers"
        ),
        pytest.param(
            changed("<company>Лавка</company>\n", ""), 3, "merchantid may not", id="no company"
        ),
        pytest.param(
            changed(' storeId="PP1" preOrder', " preOrder"), 10, "has no storeId", id="no point"
        ),
        pytest.param(
            changed('<offer sku="2"', '<offer sku="2" available="true"'),
            14,
            "offer '2': offer may have no available",
            id="an attribute that the format does not have",
        ),
        pytest.param(
            changed("Чайник", "Чайник<br/>"), 7, "model may hold text alone", id="markup in a text"
        ),
        pytest.param(
            changed("Чайник", '<offer sku="3"/>'), 7, "model may hold", id="an offer in an offer"
        ),
        pytest.param(
            changed("Лавка", "Л" * 70_000), 1, "no offer ends within", id="a head without end"
        ),
        pytest.param(
            changed("Чайник", "Ч" * 800_000), 6, "no offer ends within", id="an offer without end"
        ),
    ],
)  # fmt: skip
def test_a_broken_feed_is_refused_with_its_line_and_the_reason(
    feed: bytes, line: int, said: str
) -> None:
    with pytest.raises(BrokenFeed) as refusal:
        price_feed.check(io.BytesIO(feed))
    assert said in refusal.value.reason
    assert refusal.value.line == line
    assert str(refusal.value) == f"line {line}: {refusal.value.reason}"


MANY = "".join(
    f'<offer sku="o{number}">\n<model>M</model>\n<availabilities><availability available="yes"'
    f' storeId="PP1"/></availabilities>\n<price>{number + 1}</price>\n</offer>\n'
    for number in range(1_000)
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(
            MANY.replace("<price>901<", "<price>9o1<") + "</offers>",
            "line 4526: offer 'o900': price is '9o1'",
            id="a price",
        ),
        pytest.param(
            "</offers>\n" + MANY, "line 24: offer may not stand here", id="offers behind the offers"
        ),
        pytest.param(
            MANY.replace('"o500">', '"o500"><offer sku="3"/>', 1) + "</offers>",
            "line 2523: offer 'o500': offer may not stand here, but model",
            id="an offer in an offer",
        ),
        pytest.param(
            MANY + MANY.replace('"o', '"p', 990) + "</offers>",
            "line 9973: offer 'o990': it stands in the feed already, in line 4973",
            id="an article twice",
        ),
    ],
)
def test_the_line_is_right_behind_many_batches(body: str, said: str) -> None:
    with pytest.raises(BrokenFeed) as refusal:
        price_feed.check(io.BytesIO(changed("</offers>", body)))
    assert str(refusal.value).startswith(said)


# --- Borne -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(FEED.encode(), id="as the guide has it"),
        pytest.param(b"\xef\xbb\xbf" + FEED.encode(), id="a mark before it"),
        pytest.param(FEED.replace("\n", "\r\n").encode(), id="lines of Windows"),
        pytest.param(FEED.replace("\n", "").encode(), id="one line"),
        pytest.param(
            re.sub(r"<(/?)(?=[a-z])", r"<\1k:", FEED).replace("xmlns=", "xmlns:k=").encode(),
            id="a prefix at each element",
        ),
        pytest.param(changed("9990", " 9990\n"), id="blanks around a price"),
        pytest.param(changed("9990", "99<!-- not 98 -->90"), id="a remark in a price"),
        pytest.param(changed("9990", "<![CDATA[9990]]>"), id="a price in CDATA"),
        pytest.param(changed("Чайник", "&#1063;айник"), id="a sign by its number"),
        pytest.param(changed('<?xml version="1.0" encoding="utf-8"?>\n', ""), id="no declaration"),
        pytest.param(changed("<model>", "<?shop?><!-- <offer> --><model>"), id="remarks"),
        pytest.param(
            changed("</price>", "</price><loanPeriod>12</loanPeriod>"), id="an old element"
        ),
    ],
)
def test_a_feed_is_read_however_it_is_written(feed: bytes) -> None:
    shop, offers = read(feed)
    assert (shop.merchant, shop.company) == ("30000001", "Лавка")
    assert offers == read(FEED.encode())[1]
    assert plainly_valid(feed)


def test_a_point_is_named_as_kaspis_export_names_it() -> None:
    names = [
        named_point(MerchantId("7"), name) for name in ("PP1", "7_PP1", "PP10", "PPA", "Склад")
    ]
    assert names == ["7_PP1", "7_PP1", "7_PP10", "PPA", "Склад"]


# --- Properties --------------------------------------------------------------------------------

TEXTS = some.text(
    some.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip(" "))
PRICES = some.integers(1, 10**9).map(Tenge)
POINTS = some.builds(
    FeedPoint,
    TEXTS,
    some.booleans(),
    some.none() | some.integers(0, 10**6),
    some.none() | some.integers(1, 30),
)
CITY_PRICES = some.lists(some.builds(CityPrice, TEXTS.map(CityId), PRICES), min_size=1, max_size=3)
OFFERS = some.builds(
    lambda prices, **said: FeedOffer(
        **said, **({"price": prices} if isinstance(prices, int) else {"city_prices": tuple(prices)})
    ),
    sku=TEXTS,
    model=TEXTS,
    brand=TEXTS | some.just(""),
    points=some.lists(POINTS, min_size=1, max_size=3).map(tuple),
    prices=PRICES | CITY_PRICES,
)
FEEDS = some.lists(OFFERS, min_size=1, max_size=6, unique_by=lambda offer: offer.sku)


@given(FEEDS)
def test_what_is_written_is_valid_and_read_again(offers: list[FeedOffer]) -> None:
    feed = written(*offers)
    assert plainly_valid(feed)
    assert read(feed) == (SHOP, offers)


KETTLE_TOO = (
    '<offer sku="1"><model>m</model><availabilities><availability available="no" storeId="s"/>'
    "</availabilities><price>1</price></offer>"
)
MUTATIONS = (
    "<offer", "</offer>", "<offers>", "</offers>", "<model/>", "<price>5</price>", "<brand>", "&",
    "<", ">", '"', "<!-- x -->", "<![CDATA[x]]>", 'sku="1"', ' preOrder="31"', ' available="no"',
    "<offer><price>1</price></offer>", " ", "\n", "x", "", "</kaspi_catalog>", "<?x?>",
    KETTLE_TOO,
)  # fmt: skip


@given(some.data())
def test_batches_say_what_a_validation_of_the_whole_says(data: some.DataObject) -> None:
    """Feeds of a few offers, cut anew at each one, with pieces cut out, put in or doubled."""
    feed = data.draw(FEEDS.map(lambda offers: written(*offers).decode()) | some.just(FEED))
    for _ in range(data.draw(some.integers(0, 2))):
        begin = data.draw(some.integers(0, len(feed)))
        end = min(len(feed), begin + data.draw(some.integers(0, 40)))
        put = data.draw(some.sampled_from(MUTATIONS) | some.just(feed[begin:end] * 2))
        feed = feed[:begin] + put + feed[end:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(price_feed_check, "BLOCK", data.draw(some.integers(1, 800)))
        assert passes(feed.encode()) == plainly_valid(feed.encode())


@given(FEEDS, some.integers(1, 800))
def test_batches_laid_end_to_end_are_the_feed(offers: list[FeedOffer], size: int) -> None:
    feed = written(*offers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(price_feed_check, "BLOCK", size)
        parts: Iterable[price_feed_check.Batch] = price_feed_check.batches(io.BytesIO(feed))
        told = list(parts)
    assert told[0].head + b"".join(part.body for part in told) == feed
    assert all(part.body.startswith(b"<offer ") for part in told)
    longest = max(map(len, feed.splitlines()))
    assert max(len(part.body) for part in told) < 2 * (size + longest)
