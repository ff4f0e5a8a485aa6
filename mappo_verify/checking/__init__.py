"""Checking: evaluate, prove, sample, audit, plant errors."""
