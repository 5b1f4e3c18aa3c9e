"""The Telegram front end: it translates between a chat and the dialogue, and asks the verification core."""

__version__ = "0.2.0"
