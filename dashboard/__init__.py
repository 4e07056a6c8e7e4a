"""The face: a page for people."""
