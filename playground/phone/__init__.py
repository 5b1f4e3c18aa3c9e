"""A tiny browser that opens links as a phone does."""
