"""Reads product pages with Chromium when the plain page lacks its state."""
