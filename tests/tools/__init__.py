"""Promises of the tools that set the project up."""
