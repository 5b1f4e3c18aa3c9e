"""Writes scripts from what happens in a chat."""
