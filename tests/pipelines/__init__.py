"""Each stage by itself, without a database."""
