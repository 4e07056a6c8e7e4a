"""Kaspi's conversations, one module each."""
