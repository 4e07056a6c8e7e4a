"""Live answers kept as cassettes, without people and keys, and what has changed since."""
