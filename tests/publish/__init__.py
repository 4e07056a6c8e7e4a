"""Prices out of the door: the outbox, the cabinet, the budget, and what is read back."""
