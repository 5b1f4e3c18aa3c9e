"""Compares what a bot sent with what a script expects."""
