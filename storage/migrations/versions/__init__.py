"""The tables' history: each file moves the schema one step forward."""
