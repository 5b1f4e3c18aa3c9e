"""Benchmarks: run by hand, not as tests, because timings vary between machines."""
