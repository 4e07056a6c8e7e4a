"""What a replay found, shown: a table, a page, charts. Nothing is decided here."""
