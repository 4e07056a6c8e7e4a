"""Our own accounts at the merchant cabinet: where it is, and how a crawl signs in."""
