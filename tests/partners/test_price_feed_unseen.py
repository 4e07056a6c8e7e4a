"""Feeds that nobody has sent yet: every one is passed, refused with its line, or doubted."""

import gzip
import io

import pytest

from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint, FeedShop
from partners.kaspi import price_feed
from partners.kaspi.price_feed import BrokenFeed
from partners.kaspi.price_feed_doubts import doubts
from tests.partners.test_price_feed import FEED, changed

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        pytest.param(changed("Лавка", "  "), "line 3: company is empty", id="a company of blanks"),
        pytest.param(
            changed("30000001", " "), "line 4: merchantid is empty", id="a merchant of blanks"
        ),
        pytest.param(
            changed("<merchantid>30000001</merchantid>\n", ""),
            "line 4: offers may not stand here, but merchantid",
            id="no merchant",
        ),
        pytest.param(
            changed("</company>", "</company>\n<company>Л</company>"),
            "line 4: company may not stand here, but merchantid",
            id="the company twice",
        ),
        pytest.param(
            changed('sku="1"', 'sku=""'),
            "line 6: offer '': sku is empty",
            id="an article of no sign",
        ),
        pytest.param(changed(' sku="1"', ""), "line 6: offer has no sku", id="no article"),
        pytest.param(
            changed('sku="1"', 'SKU="1"'), "line 6: offer may have no SKU", id="SKU in capitals"
        ),
        pytest.param(
            changed('sku="2"', 'sku="&#49;"'),
            "line 14: offer '1': it stands in the feed already, in line 6",
            id="an article twice, once by number",
        ),
        pytest.param(
            changed("Чайник", " \n "), "line 7: offer '1': model is empty", id="a model of blanks"
        ),
        pytest.param(
            changed("<model>Чайник</model>\n", ""),
            "line 7: offer '1': brand may not stand here, but model",
            id="no model",
        ),
        pytest.param(
            changed("</model>", "</model><model>Ч</model>"),
            "line 7: offer '1': model may not stand here, but brand, availabilities",
            id="a model twice",
        ),
        pytest.param(
            changed(
                "<model>Чайник</model>\n<brand>Tefal</brand>",
                "<brand>Tefal</brand>\n<model>Чайник</model>",
            ),
            "line 7: offer '1': brand may not stand here, but model",
            id="the brand first",
        ),
        pytest.param(
            changed("<availabilities>\n", ""),
            "line 10: an element is closed that was not the last one opened",
            id="points without their list",
        ),
        pytest.param(
            changed("<availabilities>", "<availabilities>нет"),
            "line 9: offer '1': there is text in availabilities, outside its elements",
            id="text among points",
        ),
        pytest.param(
            changed('stockCount="2"/>', 'stockCount="2">да</availability>'),
            "line 10: offer '1': there is text in availability, outside its elements",
            id="text in a point",
        ),
        pytest.param(
            changed('available="yes" ', ""),
            "line 10: offer '1': availability has no available",
            id="no word on availability",
        ),
        pytest.param(changed('"yes"', '"YES"'), "line 10: offer '1': available is 'YES'", id="YES"),
        pytest.param(
            changed('"yes"', '"true"'), "line 10: offer '1': available is 'true'", id="true"
        ),
        pytest.param(
            changed('"yes"', '"yes "'),
            "line 10: offer '1': available is 'yes '",
            id="yes with a blank",
        ),
        pytest.param(
            changed('storeId="PP1" pre', 'storeId=" " pre'),
            "line 10: offer '1': storeId is empty",
            id="a point of blanks",
        ),
        pytest.param(
            changed('storeId="PP1" pre', 'storeId="" pre'),
            "line 10: offer '1': storeId is empty",
            id="no point's code",
        ),
        pytest.param(
            changed('preOrder="3"', 'preOrder="-1"'),
            "line 10: offer '1': preOrder is '-1'",
            id="a preorder below nothing",
        ),
        pytest.param(
            changed('preOrder="3"', 'preOrder="1.5"'),
            "line 10: offer '1': preOrder is '1.5'",
            id="a day and a half",
        ),
        pytest.param(
            changed('preOrder="3"', 'preOrder=""'),
            "line 10: offer '1': preOrder is ''",
            id="a preorder of no sign",
        ),
        pytest.param(
            changed('preOrder="3"', 'preorder="3"'),
            "line 10: offer '1': availability may have no preorder",
            id="preorder in small letters",
        ),
        pytest.param(
            changed('stockCount="2"', 'stockCount="-1"'),
            "line 10: offer '1': stockCount is '-1'",
            id="pieces below nothing",
        ),
        pytest.param(
            changed('stockCount="2"', 'stockCount=""'),
            "line 10: offer '1': stockCount is ''",
            id="pieces of no sign",
        ),
        pytest.param(
            changed('stockCount="2"', 'stockCount="2.0"'),
            "line 10: offer '1': stockCount is '2.0'",
            id="pieces with a fraction of nothing",
        ),
        pytest.param(
            changed('stockCount="2"', 'stockCount="&gt;10"'),
            "line 10: offer '1': stockCount is '>10'",
            id="more than ten",
        ),
        pytest.param(
            changed('stockCount="2"', 'stockCount="2147483648"'),
            "line 10: offer '1': stockCount is '2147483648'",
            id="more pieces than there are",
        ),
        pytest.param(
            changed("<price>9990</price>\n", ""),
            "line 6: offer '1': offer lacks price, cityprices",
            id="no price",
        ),
        pytest.param(
            changed("9990", ""), "line 12: offer '1': price is ''", id="a price of no sign"
        ),
        pytest.param(
            changed("9990", " "), "line 12: offer '1': price is ''", id="a price of blanks"
        ),
        pytest.param(
            changed("9990", "9990,00"), "line 12: offer '1': price is '9990,00'", id="a comma"
        ),
        pytest.param(
            changed("9990", "-5"), "line 12: offer '1': price is '-5'", id="a negative price"
        ),
        pytest.param(changed("9990", "000"), "line 12: offer '1': price is '000'", id="zeros"),
        pytest.param(
            changed("9990", "1e3"), "line 12: offer '1': price is '1e3'", id="an exponent"
        ),
        pytest.param(
            changed("9990", "1000000001"),
            "line 12: offer '1': price is '1000000001'",
            id="more than a billion",
        ),
        pytest.param(
            changed("9990", "9\xa0990"),
            "line 12: offer '1': price is '9\xa0990'",
            id="a hard blank",
        ),
        pytest.param(
            changed("9990", "٩٩٩٠"), "line 12: offer '1': price is '٩٩٩٠'", id="arabic digits"
        ),
        pytest.param(
            changed("9990", "9990 KZT"), "line 12: offer '1': price is '9990 KZT'", id="a currency"
        ),
        pytest.param(
            changed("<price>", '<price currency="KZT">'),
            "line 12: offer '1': price may have no currency",
            id="a currency apart",
        ),
        pytest.param(
            changed("</price>", "</price>\n<price>1</price>"),
            "line 13: offer '1': price may not stand here, but loanPeriod",
            id="two prices",
        ),
        pytest.param(
            changed(
                "<price>",
                '<price xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">',
            ),
            "line 12: offer '1': price may have no other type, nor be nil",
            id="a price of another type",
        ),
        pytest.param(
            changed(' cityId="750000000"', ""),
            "line 20: offer '2': cityprice has no cityId",
            id="no city",
        ),
        pytest.param(
            changed("750000000", " "), "line 20: offer '2': cityId is empty", id="a city of blanks"
        ),
        pytest.param(
            changed('<cityprice cityId="750000000">500</cityprice>\n', ""),
            "line 19: offer '2': cityprices lacks cityprice",
            id="no price of a city",
        ),
        pytest.param(
            changed('<cityprice cityId="750000000">500</cityprice>', "<price>500</price>"),
            "line 20: offer '2': price may not stand here, but cityprice",
            id="a price among prices of cities",
        ),
        pytest.param(
            changed("</price>", "</price>\n<description>x</description>"),
            "line 13: offer '1': description may not stand here, but loanPeriod",
            id="a description",
        ),
        pytest.param(
            changed("<brand>", "<picture>x</picture><brand>"),
            "line 8: offer '1': picture may not stand here, but brand, availabilities",
            id="a picture",
        ),
        pytest.param(
            changed("</price>", '</price><x:a xmlns:x="y"/>'),
            "line 12: offer '1': {y}a may not stand here, but loanPeriod",
            id="an element of another",
        ),
        pytest.param(
            changed('<offer sku="1"', '<offer xmlns:x="y" x:id="4" sku="1"'),
            "line 6: offer '1': offer may have no {y}id",
            id="an attribute of another",
        ),
        pytest.param(
            changed("<model>", '<model xml:lang="ru">'),
            "line 7: offer '1': model may have no {http://www.w3.org/XML/1998/namespace}lang",
            id="a language",
        ),
        pytest.param(
            changed('<offer sku="1">\n', '<Offer sku="1"/>\n<offer sku="1">\n'),
            "line 6: offer '1': Offer may not stand here, but offer",
            id="Offer with a capital",
        ),
        pytest.param(
            changed('<offer sku="1"', '<offer xmlns="" sku="1"'),
            "line 6: offer '1': offer may not stand here, but offer",
            id="another namespace within",
        ),
        pytest.param(
            changed("kaspiShopping", "KaspiShopping"),
            "line 2: the feed begins with kaspi_catalog in the namespace 'KaspiShopping'",
            id="the namespace in other letters",
        ),
        pytest.param(
            changed(
                "<offers>",
                '<offers><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="x"/>',
            ),
            "line 5: {http://www.w3.org/2001/XInclude}include may not stand here, but offer",
            id="an XInclude",
        ),
        pytest.param(
            changed('date="2026-08-13"', 'version="1.0"'),
            "line 2: kaspi_catalog may have no version",
            id="another attribute of the root",
        ),
        pytest.param(
            changed('date="2026-08-13"', 'date="1" date="2"'),
            "line 2: an attribute stands twice",
            id="a date twice",
        ),
        pytest.param(
            changed(
                'xmlns="kaspiShopping"',
                'xmlns="kaspiShopping" xsi:schemaLocation="kaspiShopping x"',
            ),
            "line 2: a prefix without a namespace",
            id="an unknown prefix",
        ),
        pytest.param(
            changed("?>\n", '?>\n<!DOCTYPE x SYSTEM "file:///etc/hostname">\n'),
            "line 2: a price feed has no document type, and so no entities",
            id="a file from outside",
        ),
        pytest.param(
            changed("?>\n", '?>\n<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]>\n'),
            "line 2: a price feed has no document type, and so no entities",
            id="an entity from outside",
        ),
        pytest.param(
            changed('version="1.0"', 'version="2.0"'),
            "line 1: this is no XML: Unsupported version '2.0'",
            id="XML 2.0",
        ),
        pytest.param(
            changed("<?xml", "\n<?xml"), "line 2: something stands before <?xml", id="a line before"
        ),
        pytest.param(
            changed("utf-8", "us-ascii"), "line 1: the feed's encoding is us-ascii", id="ASCII"
        ),
        pytest.param(
            changed("Чайник", "Чай\x0bник"),
            "line 7: a sign that XML forbids (0x0b)",
            id="a sign of control",
        ),
        pytest.param(
            changed("Чайник", "Чай&#11;ник"),
            "line 7: a number of a sign that XML forbids",
            id="a sign of control by number",
        ),
        pytest.param(
            changed("Чайник", "Чай\uffffник"),
            "line 7: this is no XML. In texts & < > are written &amp; &lt; &gt;",
            id="a sign that is none",
        ),
        pytest.param(
            changed("Чайник", "Чай]]>ник"),
            "line 7: this is no XML. In texts & < > are written &amp; &lt; &gt;",
            id="the end of CDATA",
        ),
        pytest.param(
            changed("<offers>", "<offers><!-- a -- b -->"),
            "line 5: this is no XML. In texts & < > are written &amp; &lt; &gt;",
            id="an open remark",
        ),
        pytest.param(
            changed('sku="1"', "sku=1"),
            "line 6: this is no XML. In texts & < > are written &amp; &lt; &gt;",
            id="no quotes",
        ),
        pytest.param(
            changed('sku="1"', 'sku="A<B"'),
            "line 6: this is no XML. In texts & < > are written &amp; &lt; &gt;",
            id="an article that is a tag",
        ),
        pytest.param(
            changed("</kaspi_catalog>\n", "</kaspi_catalog>\ngarbage"),
            "line 25: something stands behind </kaspi_catalog>",
            id="text behind",
        ),
        pytest.param(
            changed("</kaspi_catalog>\n", ""),
            "line 24: the feed ends too soon: it is empty, or was cut off",
            id="no end",
        ),
        pytest.param(
            gzip.compress(FEED.encode()),
            "line 1: this is packed with gzip. Unpack it first",
            id="gzip",
        ),
        pytest.param(
            b"PK\x03\x04",
            "line 1: this is a workbook or an archive, no XML",
            id="a workbook",
        ),
        pytest.param(
            FEED.replace("utf-8", "utf-16").encode("utf-16-le"),
            "line 1: the feed's encoding is utf-16",
            id="UTF-16 without a mark",
        ),
        pytest.param(
            FEED.encode("utf-32"), "line 1: this is not UTF-8. Save the feed as UTF-8", id="UTF-32"
        ),
        pytest.param(
            FEED.encode()[: FEED.encode().index(b"\xd0\xa7") + 1],
            "line 7: the feed ends too soon: it was cut off",
            id="half a sign at the end",
        ),
        pytest.param(
            FEED.encode().replace("Чайник".encode(), b"\xed\xa0\x80"),
            "line 7: this is not UTF-8. Save the feed as UTF-8",
            id="a surrogate",
        ),
        pytest.param(
            b"<!DOCTYPE html><html></html>",
            "line 1: a price feed has no document type, and so no entities",
            id="an HTML page",
        ),
        pytest.param(
            b'{"offers": []}',
            "line 1: this is no XML. In texts & < > are written &amp; &lt; &gt;",
            id="JSON",
        ),
        pytest.param(
            b"Not Found", "line 1: this is no XML: it begins with a text", id="a sentence"
        ),
        pytest.param(
            b"  \n", "line 2: the feed ends too soon: it is empty, or was cut off", id="blanks"
        ),
        pytest.param(
            b"<yml_catalog/>", "line 1: the feed begins with yml_catalog in no namespace", id="YML"
        ),
        pytest.param(
            FEED[: FEED.index("stockCount") + 5].encode(),
            "line 10: the feed ends too soon: it was cut off",
            id="cut within an attribute",
        ),
    ],
)
def test_an_unseen_feed_is_refused_with_its_line_and_the_reason(feed: bytes, said: str) -> None:
    with pytest.raises(BrokenFeed) as refusal:
        price_feed.check(io.BytesIO(feed))
    assert str(refusal.value).startswith(said)


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(
            changed('date="2026-08-13"', 'date="2026-08-22T22:02:12+05:00"'),
            id="a date and its zone",
        ),
        pytest.param(changed(' date="2026-08-13"', ""), id="no date"),
        pytest.param(changed('"2026-08-13"', '"string"'), id="a word for a date"),
        pytest.param(
            changed(
                'xmlns="kaspiShopping"',
                f'xmlns="kaspiShopping" {XSI} xsi:schemaLocation="http://kaspi.kz/kaspishopping.xsd"',
            ),
            id="where its schema is",
        ),
        pytest.param(
            changed(
                'xmlns="kaspiShopping"',
                f'xmlns="kaspiShopping" {XSI} xsi:schemaLocation="kaspiShopping http://127.0.0.1:9/x.xsd"',
            ),
            id="a schema elsewhere, which is not fetched",
        ),
        pytest.param(
            changed("</kaspi_catalog>\n", "</kaspi_catalog>\n<!-- bye -->\n"),
            id="a remark at the end",
        ),
        pytest.param(changed("?>\n", '?>\n<?xml-stylesheet href="x"?>\n'), id="a style sheet"),
        pytest.param(changed("utf-8", "UTF8"), id="UTF8"),
        pytest.param(
            changed('encoding="utf-8"', 'encoding="utf-8" standalone="yes"'), id="it stands alone"
        ),
        pytest.param(changed("<brand>Tefal</brand>\n", ""), id="no brand"),
        pytest.param(changed("Tefal", ""), id="an empty brand"),
        pytest.param(changed("9990", "09990"), id="zeros before a price"),
        pytest.param(changed('preOrder="3"', 'preOrder="0"'), id="a preorder of no days"),
        pytest.param(changed('sku="1"', "sku='1'"), id="single quotes"),
        pytest.param(
            changed('sku="1"', 'sku="ST/UPC-ST/UPC MM OM1 62.5/125 Simplex"'), id="a long article"
        ),
        pytest.param(changed("Чайник", "<![CDATA[Чай & <ник>]]>"), id="a model in CDATA"),
        pytest.param(changed("Чайник", "Ч" * 5_000), id="a model of 5,000 signs"),
        pytest.param(changed("9990", "1000000000"), id="the dearest price"),
    ],
)
def test_an_unseen_feed_is_read(feed: bytes) -> None:
    assert price_feed.check(io.BytesIO(feed)) == 2
    assert [offer.sku for offer in price_feed.read(io.BytesIO(feed))[1]][1:] == ["2"]


SHOP = FeedShop(merchant=MerchantId("30000001"), company="Лавка", date="")
POINT = FeedPoint("PP1", available=True, stock=2)


def told(
    sku: str = "1", *, points: tuple[FeedPoint, ...] = (POINT,), cities: str = ""
) -> list[str]:
    prices = tuple(CityPrice(CityId(city), Tenge(5)) for city in cities.split())
    offer = FeedOffer(sku=sku, model="Чайник", points=points, city_prices=prices)
    return list(doubts(SHOP, offer))


@pytest.mark.parametrize(
    ("doubted", "said"),
    [
        pytest.param(told("1" * 21), ["20 characters"], id="a long article"),
        pytest.param(told("Чай"), ["latin letters"], id="an article in Russian"),
        pytest.param(told("113744482_000573024"), [], id="an article as Kaspi makes them"),
        pytest.param(told(cities="75"), ["'75' has no nine digits"], id="half a city"),
        pytest.param(
            told(cities="750000000 750000000"), ["city '750000000' stands twice"], id="a city twice"
        ),
        pytest.param(
            told(points=(FeedPoint("7_PP1", available=True),)),
            ["of another merchant"],
            id="a point of another",
        ),
        pytest.param(
            told(points=(FeedPoint("30000001_PP10", available=True),)),
            [],
            id="a point as Kaspi's export names it",
        ),
        pytest.param(
            told(points=(FeedPoint("Склад", available=True),)),
            ["has no form"],
            id="a point by name",
        ),
        pytest.param(
            told(points=(POINT, FeedPoint("30000001_PP1", available=False))),
            ["'30000001_PP1' stands twice"],
            id="a point under both of its names",
        ),
        pytest.param(
            told(points=(FeedPoint("PP1", available=True, stock=0),)),
            ["available, with 0 pieces"],
            id="no piece of what is available",
        ),
        pytest.param(
            told(points=(FeedPoint("PP1", available=False, preorder=3),)),
            ["nothing to buy"],
            id="days of preorder for nothing",
        ),
    ],
)
def test_what_nobody_knows_is_doubted_and_not_refused(doubted: list[str], said: list[str]) -> None:
    assert len(doubted) == len(said)
    assert all(word in doubt for word, doubt in zip(said, doubted, strict=True))
