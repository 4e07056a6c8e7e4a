"""What accompanies a crawl without touching its items."""
