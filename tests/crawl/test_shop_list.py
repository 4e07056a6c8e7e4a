"""`scrapy crawl shop` over lists that move, are long, or are spoilt: nothing is made up."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs
import psycopg
import pytest
from cryptography.fernet import Fernet

from storage import accounts
from storage.sealed import seal
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Workplace, eventually
from tests.crawl.played import STORE, Played, gone, item, playing

KEY = Fernet.generate_key().decode()


@attrs.frozen(kw_only=True)
class Shop:
    """A played cabinet, and the memory of what was read in it."""

    played: Played
    place: Workplace

    @property
    def environment(self) -> dict[str, str]:
        here = self.played.address
        return {"MC_URL": here, "IDMC_URL": here, "KASPI_SECRET_KEY": KEY}

    def crawl(self, **arguments: str) -> Ended:
        self.played.questions.clear()
        ended = self.place.crawl("shop", arguments, environment=self.environment)
        assert ended.reason == "finished", ended.said
        return ended

    def skus(self, where: str = "true") -> set[str]:
        query = f"SELECT sku FROM listings WHERE {where}"  # noqa: S608
        with psycopg.connect(self.place.database) as connection:
            return {sku for (sku,) in connection.execute(query.encode())}

    def age(self, span: timedelta) -> None:
        """Let everything have been seen so much earlier."""
        with psycopg.connect(self.place.database) as connection:
            connection.execute("UPDATE listings SET seen_at = seen_at - %s", [span])


@pytest.fixture(scope="module")
def stage() -> Iterator[Played]:
    with playing() as played:
        yield played


@pytest.fixture
def shop(stage: Played, open_workplace: Opener) -> Shop:
    """An empty memory, with a session that the cabinet takes."""
    place = open_workplace(stage.address)
    accounts.add(place.database, STORE, "{}", KEY)  # type: ignore[arg-type]
    session = seal("mc-sid=s", KEY).decode()
    with psycopg.connect(place.database) as connection:
        connection.execute("UPDATE cabinet_accounts SET session = %s", [session])
    stage.goods, stage.before = [], lambda _: None
    return Shop(played=stage, place=place)


def test_five_thousand_articles_are_read_whole_and_a_kill_in_the_middle_loses_nothing(
    shop: Shop,
) -> None:
    shop.played.goods = [item(number) for number in range(5_000)] + [gone(5_000)]
    with shop.place.started("shop", environment=shop.environment) as crawl:
        eventually(shop.skus)
        crawl.end(signal.SIGKILL)
    assert shop.skus() <= {one["sku"] for one in shop.played.goods}
    ended = shop.crawl()
    assert ended.sentences_about("was read whole: 5001 articles"), ended.said
    assert shop.skus() == {one["sku"] for one in shop.played.goods}
    assert shop.skus("removed_at IS NOT NULL") == {"A5000"}
    assert len(shop.played.questions) == 50 + 1 + 1


def test_goods_that_move_to_the_front_while_the_list_is_read_are_found(shop: Shop) -> None:
    goods = shop.played.goods = [item(number) for number in range(250)]

    def move(question: int) -> None:
        if question == 2:
            goods.insert(0, goods.pop(249))

    shop.played.before = move
    ended = shop.crawl()
    assert ended.sentences_about("was read whole: 250 articles"), ended.said
    assert shop.skus() == {f"A{number}" for number in range(250)}
    assert shop.played.questions.count(("true", 2)) == 2, "the shifted list is read again"


def test_a_list_that_never_stands_still_is_kept_and_concludes_nothing(shop: Shop) -> None:
    goods = shop.played.goods = [item(number) for number in range(150)]
    shop.crawl()
    shop.age(timedelta(minutes=1))
    goods.pop(0)
    shop.played.before = lambda question: goods.append(item(1_000 + question))
    ended = shop.crawl()
    assert ended.sentences_about("was not read whole"), ended.said
    assert "A0" in shop.skus("removed_at IS NULL"), "it is gone, and nobody may say so yet"
    assert shop.played.questions.count(("true", 0)) == 3


def test_goods_that_go_on_sale_while_the_others_are_read_have_not_vanished(shop: Shop) -> None:
    goods = shop.played.goods = [*(item(number) for number in range(9)), gone(9)]
    shop.crawl()
    shop.age(timedelta(minutes=1))

    def put_on_sale(question: int) -> None:
        if question == 2:
            goods[9] = item(9)

    shop.played.before = put_on_sale
    shop.crawl()
    assert shop.skus("removed_at IS NULL") == {f"A{number}" for number in range(10)}


def test_an_article_that_cannot_be_read_is_named_and_the_rest_goes_on(shop: Shop) -> None:
    shop.played.goods = [item(number) for number in range(120)]
    shop.crawl()
    shop.age(timedelta(minutes=1))
    shop.played.goods[7] = item(7, price="dear", updates=[{"uploadedBy": "ann@example.kz"}])
    shop.played.goods.pop(8)
    ended = shop.crawl()
    [sentence] = ended.sentences_about("item 7 (A7)", "price")
    assert "kept as" in sentence
    assert ended.sentences_about("was not read whole")
    assert "A8" in shop.skus("removed_at IS NULL")
    [(told, body)] = shop.place.set_aside("shop").values()
    assert (told["source"], told["city_id"]) == ("shop", None)
    assert b"ann@example.kz" not in body


@pytest.mark.parametrize(
    ("left", "arguments", "vanished", "alarms"),
    [
        pytest.param(17, {}, 3, 0, id="a few are gone"),
        pytest.param(0, {}, 0, 1, id="an empty list sends nobody away"),
        pytest.param(5, {"believe": "yes"}, 15, 0, id="many are gone, and somebody has looked"),
    ],
)
def test_what_a_whole_reading_does_not_show_has_vanished(
    shop: Shop, left: int, arguments: dict[str, Any], vanished: int, alarms: int
) -> None:
    shop.played.goods = [item(number) for number in range(20)]
    shop.crawl()
    shop.age(timedelta(minutes=1))
    del shop.played.goods[left:]
    ended = shop.crawl(**arguments)
    assert len(shop.skus("removed_at IS NOT NULL")) == vanished
    assert len(ended.sentences_about("Alarm goods_not_believed")) == alarms
