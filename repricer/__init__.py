"""Thinking: decides prices, purely, from what the domain holds."""
