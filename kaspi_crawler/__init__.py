"""The eyes: spiders ask, pages read."""
