"""Benchmarks: each compares the product with a baseline that runs alternately on the same machine."""
