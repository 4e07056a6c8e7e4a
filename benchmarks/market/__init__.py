"""The market bench: our strategies and the public rules, in the same markets, side by side."""
