"""Promises, from pure tables to the real thing."""
