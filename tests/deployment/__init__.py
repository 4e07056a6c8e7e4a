"""Promises of the files that put the crawler on a server."""
