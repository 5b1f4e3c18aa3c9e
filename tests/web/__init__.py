"""Tests of the web application: the real core and pages, opened as a phone opens them."""
