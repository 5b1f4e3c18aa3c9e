"""A simulated Telegram on one machine: the Bot API, a chat page and a phone, all in memory.

It talks to bots over HTTP only, so it works with any bot in any language.
"""
