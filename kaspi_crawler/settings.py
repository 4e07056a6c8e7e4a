"""Settings of every crawl. Each changed default says what the default is and why it changed."""

import os
import sys
from pathlib import Path

from scrapy.settings import default_settings

from domain.site import is_on_loopback

# --- The public interface: the environment ---------------------------------------------------


def _home() -> Path:
    """The checkout, where scrapy.cfg lies; of an egg or an installed copy, where it is run."""
    here = Path(__file__).resolve().parent.parent
    return here if (here / "scrapy.cfg").is_file() else Path.cwd()


#: Where the storefront is; any replica of it will do.
KASPI_URL = os.environ.get("KASPI_URL", "https://kaspi.kz").rstrip("/")
#: Where exports are written.
EXPORTS_DIR = os.environ.get("EXPORTS_DIR", "exports")
#: Where the embedded database, the logs and the unreadable answers are kept.
DATA_DIR = os.environ.get("DATA_DIR", str(_home() / ".data"))
#: Where `scrapy record` keeps answers of the storefront.
CASSETTES_DIR = os.environ.get("CASSETTES_DIR", "recordings")
#: Any PostgreSQL from 14 on; empty: the embedded one.
DATABASE_URL = os.environ.get("DATABASE_URL", "")

# --- The merchant cabinet ----------------------------------------------------------------------

#: Where the cabinet is, and where its accounts sign in. Nothing is asked of them unless an account
#: was added (`scrapy shop add`).
MC_URL = os.environ.get("MC_URL", "https://mc.shop.kaspi.kz").rstrip("/")
IDMC_URL = os.environ.get("IDMC_URL", "https://idmc.shop.kaspi.kz").rstrip("/")


def _cabinet_login() -> str:
    """How an account signs in, from the environment; a wrong word ends the program."""
    chosen = (os.environ.get("CABINET_LOGIN") or "plain").strip().casefold()
    if chosen not in {"plain", "browser"}:
        sys.stderr.write(f"CABINET_LOGIN={chosen}: choose plain or browser\n")
        raise SystemExit(2)
    return chosen


#: plain: by the questions that the site's page asks. browser: by the page itself in Chromium.
CABINET_LOGIN = _cabinet_login()
#: A command that prints the code of a sign-in; empty: codes are typed at the terminal.
KASPI_CODE_COMMAND = os.environ.get("KASPI_CODE_COMMAND", "")
#: Seconds in which a code must be there: those that come by mail and SMS are good for some minutes.
CODE_PATIENCE = 300.0
#: How often a sign-in is tried while the marketplace is away (no answer, 429, 5xx), and seconds
#: before the second try, twice as many before the third. What is refused is never tried again.
SIGN_IN_TRIES = 3
SIGN_IN_PAUSE = 60.0

# --- Prices out of the door --------------------------------------------------------------------


def _publish() -> str:
    """How prices leave, from the environment; a wrong word ends the program with a sentence."""
    chosen = (os.environ.get("PUBLISH") or "off").strip().casefold()
    if chosen not in {"off", "feed", "cabinet", "both"}:
        sys.stderr.write(f"PUBLISH={chosen}: choose off, feed, cabinet or both\n")
        raise SystemExit(2)
    return chosen


#: off: nothing leaves, what would is only shown. feed: by the price feed, the official way.
#: cabinet: by the seller's cabinet. both: by both.
PUBLISH = _publish()


def _share() -> int:
    """Of the listings, per cent; a wrong number ends the program with a sentence."""
    text = (os.environ.get("PUBLISH_SHARE") or "100").strip()
    if not (text.isascii() and text.isdecimal() and 0 <= int(text) <= 100):
        sys.stderr.write(f"PUBLISH_SHARE={text}: whole per cent, 0 to 100. A right one: 5\n")
        raise SystemExit(2)
    return int(text)


#: Per cent of each store's listings whose prices are sent, always the same ones: the canary.
PUBLISH_SHARE = _share()


def _base_price() -> bool:
    """Yes or no, from the environment; another word ends the program with a sentence."""
    chosen = (os.environ.get("PUBLISH_BASE_PRICE") or "no").strip().casefold()
    if chosen not in {"yes", "no"}:
        sys.stderr.write(f"PUBLISH_BASE_PRICE={chosen}: choose yes or no\n")
        raise SystemExit(2)
    return chosen == "yes"


#: Whether a push says the price for all cities beside those of cities. Working clients disagree on
#: whether the cabinet wants it; without it such a cabinet applies nothing (`not_applied`).
PUBLISH_BASE_PRICE = _base_price()
#: What a store may change at first: so many prices in so many seconds, a push at most each so many
#: seconds, and after a refusal (429) a pause. Nothing of it is official: docs/budget.md. How far
#: the number may ever grow.
PUBLISH_CHANGES = 200
PUBLISH_WINDOW = 1_800.0
PUBLISH_GAP = 1.0
PUBLISH_PAUSE = 1_800.0
PUBLISH_MOST_CHANGES = 1_800
#: Prices that are looked at together: more than one push carries only where much may be sent.
PUBLISH_BATCH = 50
#: Seconds between two looks for something to send, and after an answer that was none.
PUBLISH_LOOK = 2.0
PUBLISH_REST = 60.0
#: Seconds for which what the cabinet showed of an item is good enough to send a price by it.
PUBLISH_FRESH = 60.0
#: Seconds in which a price that is written down as sent leaves, or leaves no more.
PUBLISH_PROMPT = 20.0
#: Seconds that a crawl without anything else to do stays open to send what may be sent.
PUBLISH_LINGER = 120.0
#: Seconds after which a price is looked for in the cabinet, and looked for again: the marketplace
#: took nine to ten minutes (recorded 2025-05).
PUBLISH_FIRST_LOOK = 600.0
PUBLISH_LOOK_AGAIN = 300.0
#: Seconds in which a price that was queued must be there, and one whose answer was lost. Longer
#: than the marketplace takes, so that no price is given up that is about to come.
VERIFY_AFTER = 1_800.0
VERIFY_UNKNOWN_AFTER = 900.0
#: Where price feeds are written, and served from.
FEEDS_DIR = os.environ.get("FEEDS_DIR") or str(Path(DATA_DIR) / "feeds")
#: The name and password that a reader of the feeds must know; both empty: everybody may read.
FEED_USER = os.environ.get("FEED_USER", "")
FEED_PASSWORD = os.environ.get("FEED_PASSWORD", "")
#: Versions that are kept of each feed: a day and a bit of hourly ones.
FEED_VERSIONS = 30

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
    "pipelines.reprice.Reprice": 500,
    "pipelines.intend.Intend": 600,
    "pipelines.publish.Publish": 700,
    "pipelines.record.Record": 800,
}
#: Default: eleven. Those that are left out would be imported even when they are set to None, and
#: the remote control brings aiohttp: a third of a second at each start.
EXTENSIONS_BASE = {
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.feedexport.FeedExporter": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "scrapy.extensions.logstats.LogStats": 0,
    "scrapy.extensions.spiderstate.SpiderState": 0,
}
EXTENSIONS = {
    "kaspi_crawler.extensions.json_log.JsonLog": 0,
    "kaspi_crawler.extensions.counts.Counts": 0,
    "kaspi_crawler.extensions.garbage.SeldomGarbage": 0,
    "kaspi_crawler.extensions.progress.ProgressBar": 500,
    "kaspi_crawler.extensions.health.Health": 890,
    "kaspi_crawler.extensions.summary.Summary": 900,
    "kaspi_crawler.extensions.alerts.Alerts": 920,
}

# --- Politeness ------------------------------------------------------------------------------


#: Seconds above which a delay is a typing error.
LONGEST_DELAY = 3_600


def _seconds(name: str, default: float) -> float:
    """Seconds from the environment; a wrong one ends the program with a sentence."""
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_DELAY:
        sys.stderr.write(f"{name}={text}: not a number of seconds. A right one: {name}=1.5\n")
        raise SystemExit(2)
    return seconds


_PACED = not is_on_loopback(KASPI_URL)
#: Scrapy's own pacing rests (default 0): middlewares.exits paces each exit, across all crawls.
DOWNLOAD_DELAY = 0
#: Seconds between two questions to the API through one exit: one a second is borne for days.
API_DELAY = _seconds("KASPI_DELAY", 1.0 if _PACED else 0.0)
#: Seconds between two questions to the cabinet through one exit: 637 in a row at one a second were
#: borne (2026-02).
CABINET_DELAY = _seconds("CABINET_DELAY", 0.0 if is_on_loopback(MC_URL) else 1.0)
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
#: Default without the last: a body without an end is one more answer that did not come.
RETRY_EXCEPTIONS = [*default_settings.RETRY_EXCEPTIONS, "scrapy.exceptions.DownloadCancelledError"]
#: Default: eight statuses. Pages judge answers by their bodies as well; one judge is enough.
RETRY_HTTP_CODES: list[int] = []
#: Blocked answers in a row, from different products, after which the crawl ends.
BLOCKED_IN_A_ROW = 12
#: Default 1 GB: the largest page recorded is 390 KB, an answer with all 77 offers of a board
#: 100 KB. It bounds what is unpacked, too, and by that what a page may take to read. The default
#: of the warning is 32 MB.
DOWNLOAD_MAXSIZE = 4_000_000
DOWNLOAD_WARNSIZE = 2_000_000
#: Default True. The rules for the API's paths are not known; the delay that robots.txt asks for
#: is kept by PAGE_DELAY.
ROBOTSTXT_OBEY = False
#: Default False: certificates are verified.
DOWNLOAD_VERIFY_CERTIFICATES = True

# --- The browser -------------------------------------------------------------------------------

#: The Chromium that reads pages without a state; empty: the first that is found.
CHROMIUM = os.environ.get("CHROMIUM", "")
#: More of its flags, separated by blanks: --no-sandbox in a container that forbids namespaces.
CHROMIUM_FLAGS = os.environ.get("CHROMIUM_FLAGS", "").split()
#: Pages in the browser at once: each keeps a core busy while it loads.
BROWSER_PAGES = 2
#: Seconds in which a page must have come (playwright's default is 30, too).
BROWSER_TIMEOUT = 30.0
#: Seconds in which the page's scripts must then have built its state.
BROWSER_STATE_TIMEOUT = 5.0

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
#: Default: six, unused here, each a call for every request. Every status comes to the page, which
#: knows what it means.
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
#: Default: fourteen; the others are unused here, and that of the cookies brings a list of all
#: domains and an HTTP client of its own.
DOWNLOADER_MIDDLEWARES_BASE = {
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": 750,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 900,
}
DOWNLOADER_MIDDLEWARES = {
    # Before Exits, so that a question waits for its session first and then for its turn.
    "kaspi_crawler.middlewares.sessions.Sessions": 540,
    # Behind Retry (550), which sees what it leaves, and before Unpacking, so that bodies can be
    # judged; HttpProxy (750) turns the exit's user and password into a header.
    "kaspi_crawler.middlewares.exits.Exits": 560,
    "kaspi_crawler.middlewares.unpacking.Unpacking": 590,
    # Next to the network: nothing waits between it and the socket.
    "kaspi_crawler.middlewares.punctuality.Punctuality": 900,
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

#: Bytes of unreadable answers that are kept, per spider; the oldest go first.
QUARANTINE_BYTES = 200_000_000
#: Of one answer that many bytes are kept.
QUARANTINE_LARGEST = 4_000_000

# --- Health ------------------------------------------------------------------------------------

#: Shares of smaller runs are not judged: in them one bad product is an alarm.
HEALTH_LEAST_ITEMS = 20
#: Of the readings that a finished crawl was to make, this share must be stored.
HEALTH_EXPECTED_SHARE = 0.9
#: Shares of readings that must have a field. The brand, categories and images are on all pages
#: recorded 2025-08, a class of delivery on all offers recorded 2026-09; `card/state` are cards
#: that were read from the page's state, and not from a lower rung.
HEALTH_COVERAGE = {
    "offer/seller": 0.95,
    "offer/delivery_duration": 0.5,
    "card/state": 0.9,
    "card/brand": 0.9,
    "card/categories": 0.9,
    "card/image_urls": 0.9,
    "card/specifications": 0.5,
    "reviews/rating_amount": 0.9,
}
#: Most answers that may be refusals, boards that may stay incomplete, answers that may be given up.
HEALTH_MOST_REFUSED = 0.2
HEALTH_MOST_INCOMPLETE = 0.1
#: Of the offers that stood on the boards that were read, this share may leave between two readings.
#: A guess on the safe side: nobody recorded how many do.
HEALTH_MOST_GONE = 0.3
HEALTH_MOST_UNREAD = 0.05
#: Seconds after which a crawl took too long: twenty thousand boards at one a second take 5.6 h.
HEALTH_LONGEST_SECONDS = 12 * 3600.0
#: Compared is with the median of so many finished runs of the same spider, site and arguments,
#: if there are that many: a change on purpose is the new usual after four runs.
HEALTH_LAST_RUNS = 7
HEALTH_LEAST_RUNS = 3
#: An alarm: this share of the usual readings is lacking; a field's share fell, or a share of
#: refusals or incomplete boards rose, by so much; a reading took so many times as long.
HEALTH_ITEMS_DROP = 0.3
HEALTH_COVERAGE_DROP = 0.2
HEALTH_SHARE_RISE = 0.1
HEALTH_SLOWER_TIMES = 3.0
#: Whether an alarm makes the exit code 1. What was stored is right in spite of it: no.
HEALTH_ALARMS_FAIL = False
#: Which answers are compared with the format we know: the first of each source, and one of so
#: many; besides all that did not fit at first sight.
DRIFT_ONE_OF = 50
#: Answers with a drift that are set aside in one crawl: one of each kind, and no more than this.
DRIFT_KEPT = 20

# --- Alerts ------------------------------------------------------------------------------------

#: Where runs that failed or raised alarms are told of, as JSON; empty: nowhere. It may hold a
#: token and stands in no log.
ALERT_WEBHOOK_URL = os.environ.get("ALERT_WEBHOOK_URL", "")
#: Seconds in which an alarm that stands is not told again; one that cleared is told at once.
ALERT_REPEAT_AFTER = 24 * 3600.0

# --- The timetable -----------------------------------------------------------------------------

#: Where scrapyd answers, and what it calls the project.
SCRAPYD_URL = os.environ.get("SCRAPYD_URL") or (
    f"http://127.0.0.1:{os.environ.get('SCRAPYD_HTTP_PORT') or 6800}"
)
SCRAPYD_PROJECT = os.environ.get("SCRAPYD_PROJECT", "kaspi_crawler")
#: When the timetable looks what is due: cron's five fields, and a sixth for seconds.
TIMETABLE_LOOKS = "* * * * *"
#: Seconds between two looks at a job under way.
TIMETABLE_POLL = 5.0
#: Seconds for which a crawl's lock must have been free before the crawl is taken for dead. A
#: server that was killed drops all locks; the living take theirs again within a second or two.
TIMETABLE_GRACE = 20.0
#: Jobs that one tick may have: the first, and others when a crawl was lost.
TIMETABLE_ATTEMPTS = 5
#: Seconds until another job is tried after one that ended before its crawl began.
TIMETABLE_PAUSE = 30.0
#: Seconds without an answer after which a crawl is stuck: longer than LONGEST_PAUSE.
TIMETABLE_STUCK = 2_700.0
#: Seconds that a job may wait in scrapyd's queue, or for its crawl to begin.
TIMETABLE_PENDING = 3_600.0
#: Whether what is stuck is ended, so that its entry can go on; else it is only said.
TIMETABLE_ENDS_STUCK = True
#: Seconds between two signs of life of a crawl.
PULSE_SECONDS = 5.0

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
