"""A replay: what is asked for, the boards replayed, and what was found: a table, a page, a CSV."""
