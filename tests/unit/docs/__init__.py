"""Holds the docs and the code together."""
