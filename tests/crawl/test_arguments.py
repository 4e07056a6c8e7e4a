"""A crawl that was told something wrong says what, where and how it would be right.

And it asks nobody: neither the storefront nor the database hears of it.
"""

from pathlib import Path

import attrs
import pytest

from kaspi_crawler.arguments import BadArgument, cities, listings, products
from partners.kaspi.storefront import ShortLink
from tests.commands.console import Console
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Workplace
from tests.crawl.liar import Liar
from tests.crawl.remembered import rows

RIGHT_PRODUCT = "102298404"
RIGHT_CITY = "750000000"
USAGE = "Usage\n=====\n  scrapy crawl [options] <spider>\n"


@attrs.frozen(kw_only=True)
class Wrong:
    """A command that must not start, and the words that its complaint must hold."""

    spider: str = "products"
    arguments: dict[str, str] = attrs.Factory(dict)
    environment: dict[str, str] = attrs.Factory(dict)
    said: tuple[str, ...]


#: What stands in the files that some arguments name.
FILES = {
    "mixed.txt": "# ours\n102298404\n\nhttps://kaspi.kz/shop/c/smartphones/  # a category\n",
    "empty.txt": "# nothing yet\n\n",
}

WRONG = {
    "a word is no product": Wrong(
        arguments={"products": "102298404,kettle"}, said=("products:", "'kettle'", RIGHT_PRODUCT)
    ),
    "a base product has no offers": Wrong(
        arguments={"products": "11636226b"},
        said=("products:", "'11636226b'", "base product", RIGHT_PRODUCT),
    ),
    "an address of something else": Wrong(
        spider="offers",
        arguments={"products": "https://kaspi.kz/shop/info/merchant/123/"},
        said=("products:", "merchant/123", RIGHT_PRODUCT),
    ),
    "a line of a file is named by its number": Wrong(
        arguments={"products": "@{directory}/mixed.txt"},
        said=("products:", "mixed.txt, line 4", "/shop/c/smartphones/", RIGHT_PRODUCT),
    ),
    "a file that is not there": Wrong(
        arguments={"products": "@{directory}/absent.txt"},
        said=("products:", "absent.txt", "No such file", "-a products=@file"),
    ),
    "a file without a product": Wrong(
        spider="reviews",
        arguments={"products": "@{directory}/empty.txt"},
        said=("products:", "the list is empty", RIGHT_PRODUCT),
    ),
    "an empty list": Wrong(
        arguments={"products": " , "}, said=("products:", "the list is empty", RIGHT_PRODUCT)
    ),
    "a city that nobody knows": Wrong(
        arguments={"products": RIGHT_PRODUCT, "cities": "almaty,atlantis"},
        said=("cities:", "'atlantis'", RIGHT_CITY),
    ),
    "no city at all": Wrong(
        arguments={"products": RIGHT_PRODUCT, "cities": ""},
        said=("cities:", "the list is empty", RIGHT_CITY),
    ),
    "an argument with another name": Wrong(
        arguments={"product": RIGHT_PRODUCT}, said=("product:", "products, cities", RIGHT_PRODUCT)
    ),
    "an argument of another spider": Wrong(
        spider="reviews",
        arguments={"products": RIGHT_PRODUCT, "cities": RIGHT_CITY},
        said=("cities:", "products", RIGHT_PRODUCT),
    ),
    "a listing of nothing": Wrong(
        spider="listing", said=("listing:", "category, search, merchant", "-a category=")
    ),
    "a listing of two things": Wrong(
        spider="listing",
        arguments={"category": "Kettles", "search": "kettle"},
        said=("category, search:", "say one thing", "-a category="),
    ),
    "a category by its title": Wrong(
        spider="listing",
        arguments={"category": "Kettles,чайники"},
        said=("category:", "'чайники'", "looks like Smartphones"),
    ),
    "a merchant by a name": Wrong(
        spider="listing",
        arguments={"merchant": "ИП Пример"},
        said=("merchant:", "'ИП Пример'", "11271005"),
    ),
    "a search for nothing": Wrong(
        spider="listing", arguments={"search": " "}, said=("search:", "iphone 15")
    ),
    "no pages of a listing": Wrong(
        spider="listing",
        arguments={"category": "Kettles", "depth": "0"},
        said=("depth:", "'0'", "-a depth=5"),
    ),
    "a switch that is neither on nor off": Wrong(
        spider="listing",
        arguments={"tree": "perhaps"},
        said=("tree:", "'perhaps'", "-a tree=yes"),
    ),
    "a city that the sitemap does not know by number": Wrong(
        spider="listing",
        arguments={"sitemap": "yes", "cities": "470000000"},
        said=("cities:", "470000000", "almaty"),
    ),
    "an argument that listings do not have": Wrong(
        spider="listing",
        arguments={"category": "Kettles", "products": RIGHT_PRODUCT},
        said=("products:", "category, search", "-a category="),
    ),
    "texts of some kind": Wrong(
        spider="reviews",
        arguments={"products": RIGHT_PRODUCT, "texts": "some"},
        said=("texts:", "'some'", "-a texts=yes"),
    ),
    "a spider that is not there": Wrong(
        spider="prices",
        said=("'prices'", "listing, offers, price_feed, products, publish, reviews, shop"),
    ),
    "a storefront without an address": Wrong(
        arguments={"products": RIGHT_PRODUCT},
        environment={"KASPI_URL": "kaspi.kz"},
        said=("KASPI_URL", "'kaspi.kz'", "https://kaspi.kz"),
    ),
    "a database that does not answer": Wrong(
        arguments={"products": RIGHT_PRODUCT},
        environment={"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"},
        said=("DATABASE_URL", "does not answer"),
    ),
}


@pytest.fixture(scope="module")
def place(open_workplace: Opener, liar: Liar) -> Workplace:
    place = open_workplace(liar.address)
    for name, text in FILES.items():
        (place.directory / name).write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def console(place: Workplace) -> Console:
    return Console(place.environment)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(
    place: Workplace, console: Console, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = WRONG[name]
    told = [
        f"-a{argument}={value.format(directory=place.directory)}"
        for argument, value in wrong.arguments.items()
    ]
    assert console.having(**wrong.environment).type_here("crawl", wrong.spider, *told) == 2
    complaint = capsys.readouterr().err.strip()
    for words in wrong.said:
        assert words in complaint
    assert "Traceback" not in complaint
    # Scrapy repeats how its command is used before it says what is wrong with the spider's name.
    assert len(complaint.removeprefix(USAGE).strip().splitlines()) <= 2


def test_as_a_process_it_ends_with_2_and_nothing_else_on_its_lips(place: Workplace) -> None:
    ended = place.crawl("products", {"products": "102298404,kettle"})
    assert ended.code == 2
    assert ended.said == (
        "scrapy crawl: products: 'kettle' names no product of Kaspi. "
        "A right one looks like 102298404 or https://kaspi.kz/shop/p/…-102298404/\n"
    )


def test_nobody_heard_of_any_of_this(place: Workplace, liar: Liar) -> None:
    """Runs after those above, on the same storefront and the same database."""
    assert liar.asked.total() == 0
    assert rows(place.database, "SELECT * FROM runs") == []
    assert not place.exports.exists()


def test_an_empty_work_list_is_told_with_what_to_do(workplace: Workplace) -> None:
    ended = workplace.crawl("offers")
    assert (ended.code, ended.reason) == (0, "finished")
    assert ended.sentences_about("The work list is empty", f"-a products={RIGHT_PRODUCT}")


# --- The lists themselves, without a crawl -------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        pytest.param("102298404", ["102298404"], id="one"),
        pytest.param("102298404,106185651", ["102298404", "106185651"], id="commas"),
        pytest.param(" 102298404 ,\n106185651\t", ["102298404", "106185651"], id="white space"),
        pytest.param("2298404,2298404,2298405", ["2298404", "2298405"], id="each once, in order"),
        pytest.param(
            "https://kaspi.kz/shop/p/-102298404/?c=750000000,102298404",
            ["102298404"],
            id="an address and its number are one product",
        ),
        pytest.param(
            "https://l.kaspi.kz/shp/8fK-2x,102298404",
            [ShortLink("8fK-2x"), "102298404"],
            id="a short link is a product to be found",
        ),
    ],
)
def test_products_are_listed_by(text: str, listed: list[object]) -> None:
    assert list(products(text)) == listed


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        pytest.param("750000000", ["750000000"], id="an id"),
        pytest.param("Almaty, ASTANA", ["750000000", "710000000"], id="names in any case"),
        pytest.param("almaty,750000000", ["750000000"], id="each once"),
        pytest.param("710000000,750000000", ["710000000", "750000000"], id="the first is home"),
    ],
)
def test_cities_are_listed_by(text: str, listed: list[str]) -> None:
    assert list(cities(text)) == listed


def test_a_file_may_hold_remarks_commas_a_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "наши товары.txt"
    path.write_bytes("\ufeff102298404\r\n# later: 5\r\n106185651, 106185652 # two\r\n".encode())
    assert list(products(f"@{path}")) == ["102298404", "106185651", "106185652"]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "products.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(BadArgument, match=r"products\.xlsx.*one id or address a line"):
        products(f"@{path}")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="Write a text file"):
        products(f"@{tmp_path}")


def test_listings_are_named_by_commas_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "categories.txt"
    path.write_text("Men fashion # ours\n\nSmartphones, Kettles\nSmartphones\n", encoding="utf-8")
    nothing: dict[str, str | None] = {"search": None, "merchant": None}
    for text in (f"@{path}", "Men fashion,Smartphones , Kettles"):
        found = listings({**nothing, "category": text}, tree=False, sitemap=False)
        assert [query.value for query in found] == ["Men fashion", "Smartphones", "Kettles"]


def test_a_search_is_one_text_with_its_commas() -> None:
    found = listings({"search": "чайник, 1,7 л @дом"}, tree=False, sitemap=False)
    assert [query.value for query in found] == ["чайник, 1,7 л @дом"]
    assert listings({}, tree=True, sitemap=False) == ()
