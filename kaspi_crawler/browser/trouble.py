"""What goes wrong with the browser of this machine, as exceptions that Scrapy knows."""

from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError


class BrowserTrouble(DownloadFailedError):
    """The browser of this machine failed: whatever exit the page went through is not to blame."""


class BrowserHangs(BrowserTrouble, DownloadTimeoutError):
    """A page kept the browser busy without an end."""
