"""`scrapy crawl`: as Scrapy's own, but it says before the start what is wrong, in one sentence."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scrapy import Spider
from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader

from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.conversation import StorefrontSpider
from kaspi_crawler.extensions.summary import readings
from kaspi_crawler.log import quieten
from kaspi_crawler.patient_crawler import PatientCrawler
from kaspi_crawler.proxies import configured
from kaspi_crawler.settings import LONGEST_DELAY
from partners.kaspi.storefront import Storefront

#: Variables of the environment, and the settings that they are.
_DELAYS = {"KASPI_DELAY": "API_DELAY", "KASPI_PAGE_DELAY": "PAGE_DELAY"}


class Command(ScrapyCrawl):
    """Checks arguments and database first; its exit code tells whether the crawl finished."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        _said_once(opts.spargs)
        super().process_options(args, opts)
        if self.settings is not None:
            _hear_delays(self.settings)
        quieten()
        if len(args) > 1:
            raise UsageError(
                f"{args[1]!r} is no spider's argument. A right one: "
                f"scrapy crawl {args[0]} -a products={args[1]}",
                print_help=False,
            )
        if len(args) == 1 and self.settings is not None:
            _check(self.settings, args[0], opts.spargs)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the spider. Exit code 2: cannot start; 1: not finished, or nothing was read."""
        super().run(args, opts)
        self.exitcode = self.exitcode or int(not self._succeeded())

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        process = self.crawler_process
        if process is None:
            raise RuntimeError("Scrapy gives this command a process")
        loaded = process.spider_loader.load(spidercls) if isinstance(spidercls, str) else spidercls
        patient: Any = PatientCrawler(loaded, process.settings)
        self._crawler = super()._create_crawler(patient)  # which takes a crawler as it is
        return self._crawler

    def _succeeded(self) -> bool:
        stats = self._crawler.stats
        if stats is None or stats.get_value("finish_reason") != "finished":
            return False
        if stats.get_value("spider_exceptions/count") or stats.get_value("item_errors"):
            return False
        if stats.get_value("alarms") and self._crawler.settings.getbool("HEALTH_ALARMS_FAIL"):
            return False
        lost = stats.get_value("item_dropped_count") or stats.get_value("missing")
        return not lost or bool(readings(stats.get_stats()))


def _said_once(spoken: Sequence[str]) -> None:
    """Raise UsageError for an argument that is given twice: the last alone would be heard."""
    names = Counter(word.partition("=")[0] for word in spoken)
    for name, count in names.items():
        if count > 1:
            raise UsageError(
                f"{name} is given {count} times: say it once. A right one: -a {name}=…,…",
                print_help=False,
            )


def _hear_delays(settings: Settings) -> None:
    """Take the delays by the names of their variables, too. Raises UsageError for no number."""
    for variable, name in _DELAYS.items():
        told = settings.get(variable, settings.get(name))
        try:
            seconds = float(told)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= LONGEST_DELAY:
            raise UsageError(
                f"{variable}={told}: not a number of seconds. A right one: -s {variable}=1.5",
                print_help=False,
            )
        settings.set(name, seconds, "cmdline")


def _check(settings: Settings, name: str, arguments: dict[str, str]) -> None:
    """Find what would stop the crawl before there is a crawl."""
    loader = get_spider_loader(settings)
    if name not in loader.list():
        raise UsageError(f"there is no spider {name!r}: choose from {', '.join(loader.list())}")
    from storage.origin import keep_apart  # noqa: PLC0415  (other commands start without it)
    from storage.ready import ready_address  # noqa: PLC0415
    from storage.runs import refuse_a_spent_job  # noqa: PLC0415

    with in_a_sentence("crawl"):
        spider = loader.load(name)(**arguments)
        if isinstance(spider, StorefrontSpider):
            spider.prepare(settings.copy())
        configured(settings)
        site = Storefront(settings["KASPI_URL"]).address
        address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
        aside = keep_apart(address, site, ours=not settings["DATABASE_URL"])
        refuse_a_spent_job(address, arguments.get("_job"))
    if aside:
        sys.stderr.write(f"A replica's data was set aside: it is in the schema {aside}\n")
