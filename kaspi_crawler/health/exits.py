"""The proxies: whether PROXIES names some that can be used."""

from scrapy.settings import BaseSettings
from sqlalchemy.exc import SQLAlchemyError

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import sentence
from kaspi_crawler.health.verdict import Verdict
from kaspi_crawler.proxies import configured
from storage.embedded import DatabaseUnavailable
from storage.schema import SchemaBehind
from storage.sealed import NoKey


def proxies(settings: BaseSettings) -> Verdict:
    """Reads them as a crawl would, and asks none of them."""
    try:
        named = configured(settings)
    except (BadArgument, NoKey) as error:
        return Verdict.wrong("proxies", str(error), "Correct PROXIES, or unset it: ask directly.")
    except (DatabaseUnavailable, SchemaBehind, SQLAlchemyError) as error:
        return Verdict.wrong("proxies", sentence(error), "Mend the database first.")
    return Verdict.well("proxies", f"{len(named)}: how they fare says `scrapy proxies status`")
