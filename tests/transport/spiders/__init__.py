"""Spiders of the tests alone."""
