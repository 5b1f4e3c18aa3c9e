"""Sealing of columns, the file that holds the keys, and their rotation."""
