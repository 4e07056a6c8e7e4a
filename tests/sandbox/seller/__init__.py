"""Promises of the sandbox's seller's side."""
