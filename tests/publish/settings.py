"""The project's settings, with sessions that the tests take from the sandbox."""

from kaspi_crawler import settings
from kaspi_crawler.settings import *  # noqa: F403

DOWNLOADER_MIDDLEWARES = {
    **settings.DOWNLOADER_MIDDLEWARES,
    "tests.publish.sessions.Sessions": 540,
}
