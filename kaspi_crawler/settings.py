"""Settings of every crawl. Each changed default says what the default is and why it changed."""

import os
import sys
from pathlib import Path

from scrapy.settings import default_settings

from domain.site import is_on_loopback

# --- The public interface: the environment ---------------------------------------------------

#: Where the storefront is; any replica of it will do.
KASPI_URL = os.environ.get("KASPI_URL", "https://kaspi.kz").rstrip("/")
#: Where exports are written.
EXPORTS_DIR = os.environ.get("EXPORTS_DIR", "exports")
#: Where the embedded database, the logs and the unreadable answers are kept.
DATA_DIR = os.environ.get("DATA_DIR", str(Path(__file__).resolve().parent.parent / ".data"))
#: Any PostgreSQL from 14 on; empty: the embedded one.
DATABASE_URL = os.environ.get("DATABASE_URL", "")

# --- The project -----------------------------------------------------------------------------

BOT_NAME = "kaspi_crawler"
SPIDER_MODULES = ["kaspi_crawler.spiders"]
NEWSPIDER_MODULE = "kaspi_crawler.spiders"
COMMANDS_MODULE = "kaspi_crawler.commands"

#: Each stage is listed once and says its number; docs/stages.md is made from them.
ITEM_PIPELINES = {
    "pipelines.quarantine.Quarantine": 50,
    "pipelines.clean.Clean": 100,
    "pipelines.validate.Validate": 150,
    "pipelines.deduplicate.Deduplicate": 200,
    "pipelines.store.Store": 300,
    "pipelines.export.Export": 400,
}
EXTENSIONS = {
    "kaspi_crawler.extensions.json_log.JsonLog": 0,
    "kaspi_crawler.extensions.counts.Counts": 0,
    "kaspi_crawler.extensions.garbage.SeldomGarbage": 0,
    "kaspi_crawler.extensions.progress.ProgressBar": 500,
    "kaspi_crawler.extensions.summary.Summary": 900,
    "scrapy.extensions.corestats.CoreStats": None,
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.memusage.MemoryUsage": None,
}

# --- Politeness ------------------------------------------------------------------------------


def _seconds(name: str, default: float) -> float:
    """Seconds from the environment; a wrong one ends the program with a sentence."""
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        sys.stderr.write(f"{name}={text}: not a number of seconds. A right one: {name}=1.5\n")
        raise SystemExit(2)
    return seconds


_PACED = not is_on_loopback(KASPI_URL)
#: Scrapy's own pacing rests (default 0): middlewares.exits paces each exit, across all crawls.
DOWNLOAD_DELAY = 0
#: Seconds between two questions to the API through one exit: one a second is borne for days.
API_DELAY = _seconds("KASPI_DELAY", 1.0 if _PACED else 0.0)
#: After a pause so many may be asked at once.
API_BURST = 3
#: Seconds between two pages through one exit: robots.txt says Crawl-delay: 10.
PAGE_DELAY = _seconds("KASPI_PAGE_DELAY", 10.0 if _PACED else 0.0)
#: Questions under way at once through one exit, or to one host (default 8).
CONCURRENT_REQUESTS_PER_DOMAIN = 3 if _PACED else 16
#: Default 180 s: a board is worth nothing after a minute.
DOWNLOAD_TIMEOUT = 30
#: An unreadable or blocked answer is asked for again this often (default 2).
RETRY_TIMES = 2
#: Default ERROR: what could not be read is told in a sentence of its own.
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"
#: The longest body in bytes, packed or not (default 1 GB): a board of 64 offers has 60 kB, a page
#: seldom 1 MB.
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024
#: Default without the last: a body without an end is one more answer that did not come.
RETRY_EXCEPTIONS = [*default_settings.RETRY_EXCEPTIONS, "scrapy.exceptions.DownloadCancelledError"]
#: Default: eight statuses. Pages judge answers by their bodies as well; one judge is enough.
RETRY_HTTP_CODES: list[int] = []
#: Blocked answers in a row, from different products, after which the crawl ends.
BLOCKED_IN_A_ROW = 12
#: Default True. The rules for the API's paths are not known; the delay that robots.txt asks for
#: is kept by PAGE_DELAY.
ROBOTSTXT_OBEY = False
#: Default False: certificates are verified.
DOWNLOAD_VERIFY_CERTIFICATES = True

# --- Exits: the addresses from which we ask ----------------------------------------------------

#: Proxies: a list separated by commas, a file with one a line, or `table`; empty: ask directly.
PROXIES = os.environ.get("PROXIES", "")
#: Opens what the tables keep encrypted.
KASPI_SECRET_KEY = os.environ.get("KASPI_SECRET_KEY", "")
#: Seconds that a refused exit rests, twice as long after each trial in vain, up to the longest.
#: An answer's Retry-After goes before. A replica on loopback is rested only when it asks for it.
SHORTEST_REST = 60.0
LONGEST_REST = 1800.0
#: First rests of another length. An address that asked too fast is let in again after some ten
#: seconds (measured 2026-02); nobody recorded how long a 429 lasts.
FIRST_RESTS = {"forbidden": 10.0}
#: With several exits a refused question is asked again this often, each time through another one:
#: where every fifth answer is bad, one of two million questions stays without an answer.
EXIT_RETRY_TIMES = 8
#: Trials in vain of every exit after which the crawl ends: a quarter of an hour after a 429.
TRIALS_IN_VAIN = 4

# --- Discovery -------------------------------------------------------------------------------

#: Pages after which a listing is taken for endless: ten times the longest one that was seen (a
#: merchant's 2,370 products on 198 pages, 2026-08).
LISTING_MOST_PAGES = 2_000

# --- Doors that stay shut ----------------------------------------------------------------------

#: Default True: a server on loopback that runs Python for whoever holds its token.
REMOTE_CONTROL_ENABLED = False
#: Default True: a console that runs Python.
TELNETCONSOLE_ENABLED = False

# --- Speed, measured in benchmarks/ ------------------------------------------------------------

#: Default 100: Scrapy starts that many tasks for each response, which costs 40 % of its speed.
#: The items of one response go through the stages one after another; there is hardly ever a second.
CONCURRENT_ITEMS = 1
#: Default: a coroutine around each stage, also around those that do not wait.
ITEM_PROCESSOR = "kaspi_crawler.stages.Stages"
#: Default True: parses a callback's source for every answer, since it remembers methods weakly;
#: types are checked before the crawl.
WARN_ON_GENERATOR_RETURN_VALUE = False
CONCURRENT_REQUESTS = 32
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
ASYNCIO_EVENT_LOOP = "uvloop.Loop"
#: Default True; no cookie is needed, and none is kept.
COOKIES_ENABLED = False
#: Defaults True: the storefront's answers are final, and the pages' headers are set by hand.
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
REFERER_ENABLED = False
#: Our requests are all wanted: a second look at one address is a new reading.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
#: Unused here, each a call for every request. Every status comes to the page, which knows what it
#: means, so that HttpErrorMiddleware has nothing to filter.
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
DOWNLOADER_MIDDLEWARES = {
    # Between Retry (550), which sees what it leaves, and HttpCompression (590), so that bodies can
    # be judged; HttpProxy (750) turns the exit's user and password into a header.
    "kaspi_crawler.middlewares.exits.Exits": 560,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "kaspi_crawler.middlewares.unpacking.Unpacking": 590,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": None,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
}

# --- Memory ------------------------------------------------------------------------------------

#: A batch is written when it holds this many offers, or after this many seconds.
STORE_BATCH_OFFERS = 1_000
STORE_LINGER = 0.05
#: How long a database that went away is waited for, in seconds.
STORE_PATIENCE = 120.0
#: Whether `exports/latest` is replaced at the end of a crawl.
LATEST_EXPORTS = True
#: Unreadable answers that are kept for inspection, the newest, per spider.
QUARANTINE_LIMIT = 200

# --- Log ---------------------------------------------------------------------------------------

#: Default DEBUG logs every item.
LOG_LEVEL = "INFO"
LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
LOG_DATEFORMAT = "%H:%M:%S"
#: Default True: fifty lines of figures; extensions.summary says the same in one, and the JSON log
#: of the crawl has them all.
STATS_DUMP = False
LOG_FORMATTER = "kaspi_crawler.log.ReadableLog"
LOG_SHORT_NAMES = True
LOGSTATS_INTERVAL = 60.0
