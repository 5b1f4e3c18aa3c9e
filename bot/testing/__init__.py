"""Hooks that only testers need: a fork server for bots, and the coverage of the dialogue."""
