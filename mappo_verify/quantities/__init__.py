"""Quantities: every number that the paper speaks of, each written once, for every number system and batch shape."""
