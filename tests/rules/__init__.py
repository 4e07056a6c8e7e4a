"""Rules and listings as tables: cells, files, checks, round trips."""
