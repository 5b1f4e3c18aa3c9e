"""Telegram in and out: updates become envelopes, and replies become messages."""
