"""Crawls as people start them: real processes, a real market, a real PostgreSQL."""
