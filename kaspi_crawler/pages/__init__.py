"""Bytes in, one item out; a page never asks the network for more."""
