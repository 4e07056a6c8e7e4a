"""One crawl in a process of its own: `python -m benchmarks.crawl JOB`, where JOB is JSON.

The crawl is timed from its opening to its close, so that neither the interpreter's start nor
the imports count, and the last commit does.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any, Self

import attrs
from scrapy import signals
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.settings import Settings

_PAGE_BYTES = 4096
_ROOT = Path(__file__).resolve().parent.parent


@attrs.frozen(kw_only=True)
class Job:
    """What to crawl. `settings` is the module whose settings apply; empty: Scrapy's defaults."""

    spider: str
    arguments: dict[str, str]
    settings: str
    overrides: dict[str, Any]
    report: str
    profile: str = ""


@attrs.frozen(kw_only=True)
class Report:
    """What a crawl took. `memory` are samples of the resident set, in MB."""

    responses: int
    items: int
    seconds: float
    cpu: float
    memory: tuple[float, ...]


class Stopwatch:
    """Times the crawl and samples its memory every thousandth answer."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._responses = 0
        self._memory: list[float] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.opened, signals.spider_opened)
        crawler.signals.connect(extension.received, signals.response_received)
        crawler.signals.connect(extension.stopped, signals.spider_closed)
        return extension

    def opened(self) -> None:
        """Begin."""
        self._memory.append(resident())
        self._began = (time.perf_counter(), time.process_time())

    def received(self) -> None:
        """Count, and look at the memory now and then."""
        self._responses += 1
        if self._responses % 1_000 == 0:
            self._memory.append(resident())

    def stopped(self) -> None:
        """End, and write the report."""
        seconds, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        report = Report(
            responses=self._responses,
            items=int(self._crawler.stats.get_value("item_scraped_count", 0)),
            seconds=seconds,
            cpu=cpu,
            memory=(*self._memory, resident()),
        )
        path = Path(self._crawler.settings["BENCHMARK_REPORT"])
        path.write_text(json.dumps(attrs.asdict(report)), encoding="utf-8")


def resident() -> float:
    """Resident memory of this very process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_BYTES / 1e6


def settings_of(job: Job) -> Settings:
    """The project's settings or Scrapy's defaults, with the job's changes and the stopwatch."""
    settings = Settings()
    if job.settings:
        settings.setmodule(job.settings, priority="project")
    extensions = {**settings.getdict("EXTENSIONS"), "benchmarks.crawl.Stopwatch": 0}
    settings.set("EXTENSIONS", extensions, priority="cmdline")
    settings.set("BENCHMARK_REPORT", job.report, priority="cmdline")
    for name, value in job.overrides.items():
        settings.set(name, value, priority="cmdline")
    return settings


def run(job: Job) -> None:
    """Crawl to the end."""
    settings = settings_of(job)
    ours = (_ROOT / "kaspi_crawler" / "spiders" / f"{job.spider}.py").exists()
    module = "kaspi_crawler.spiders" if ours else f"benchmarks.spiders.{job.spider}"
    settings.set("SPIDER_MODULES", [module], "cmdline")
    process = CrawlerProcess(settings)
    process.crawl(job.spider, **job.arguments)
    process.start()


def main() -> None:
    """Run the job of the command line, profiled when it asks for it."""
    job = Job(**json.loads(sys.argv[1]))
    if not job.profile:
        run(job)
        return
    import cProfile  # noqa: PLC0415

    cProfile.runctx("run(job)", {"run": run}, {"job": job}, filename=job.profile)


if __name__ == "__main__":
    main()
