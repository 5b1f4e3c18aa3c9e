"""Calls of other programs over HTTP: links for accounts, made, looked at and revoked."""
