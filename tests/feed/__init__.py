"""Feeds on disk and on the wire."""
