"""Compares what a bot wrote with what a script expects."""
