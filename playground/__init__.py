"""A stand-in Telegram on one machine: the Bot API, a chat page and a phone, all in memory.

It talks nothing but HTTP to a bot, so it can play with any bot in any language.
"""
