"""Tests of the web side: the real core and pages, opened as a phone opens them."""
