"""`scrapy crawl`: what is typed wrong before there is a crawl."""

from tests.commands.console import Console


def test_a_product_that_is_no_argument_of_the_spider_is_shown_its_place(console: Console) -> None:
    done = console.run("crawl", "products", "102298404")
    assert done.returncode == 2
    assert "A right one: scrapy crawl products -a products=102298404" in done.stdout + done.stderr


def test_an_argument_that_is_given_twice_is_not_half_heard(console: Console) -> None:
    done = console.run("crawl", "products", "-a", "products=102298404", "-a", "products=106185651")
    assert done.returncode == 2
    assert "products is given 2 times: say it once" in done.stdout + done.stderr
