"""Recorded answers go through the pages, without a network."""
