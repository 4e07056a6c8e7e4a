"""What people type after `scrapy`."""
