"""Calls to the Bot API: transport, rate limiter, and what an answer means for the caller."""
