"""Exits: proxies over real sockets, several crawls at once, a book that all of them share."""
