"""`scrapy crawl`: what is typed wrong before there is a crawl."""

import pytest
from scrapy.settings import Settings

from kaspi_crawler.commands.crawl import _hear_delays
from tests.commands.console import Console


def test_a_product_that_is_no_argument_of_the_spider_is_shown_its_place(console: Console) -> None:
    done = console.run("crawl", "products", "102298404")
    assert done.returncode == 2
    assert "A right one: scrapy crawl products -a products=102298404" in done.stdout + done.stderr


def test_an_argument_that_is_given_twice_is_not_half_heard(console: Console) -> None:
    done = console.run("crawl", "products", "-a", "products=102298404", "-a", "products=106185651")
    assert done.returncode == 2
    assert "products is given 2 times: say it once" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["KASPI_DELAY", "KASPI_PAGE_DELAY"])
def test_a_delay_that_is_no_number_is_told(console: Console, name: str) -> None:
    done = console.run("crawl", "offers", "-s", f"{name}=abc")
    assert done.returncode == 2
    assert f"{name}=abc: not a number of seconds" in done.stdout + done.stderr


def test_a_delay_is_heard_by_the_name_of_its_variable() -> None:
    settings = Settings({"API_DELAY": 1.0, "PAGE_DELAY": 10.0, "KASPI_DELAY": "3"})
    _hear_delays(settings)
    assert (settings["API_DELAY"], settings["PAGE_DELAY"]) == (3.0, 10.0)
