"""One file, one spider, one scheduled job."""
