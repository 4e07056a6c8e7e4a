"""The voice: how to ask each partner, and how to read its answer."""
