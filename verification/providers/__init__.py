"""Providers that check an identity: one module for each kind of provider."""
