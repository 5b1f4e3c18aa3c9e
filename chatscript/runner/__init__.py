"""Runs one case of a script: starts the bot, acts as the person, waits, and compares."""
