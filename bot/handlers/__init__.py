"""The rooms that know Telegram: what comes in becomes envelopes, what goes out becomes messages."""
