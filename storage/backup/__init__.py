"""Copies of a database while programs use it, and the way back; a copy is a SQLite file of either kind of database."""
