"""Promises of the sandbox: it behaves like the marketplace and knows the truth."""
