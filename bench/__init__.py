"""Measurements: run by hand, never in a test, because machines are noisy."""
