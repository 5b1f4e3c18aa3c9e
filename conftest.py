"""Tells pytest how `.chat` scripts are collected: each case is a test."""

pytest_plugins = ["playground.pytest_plugin"]
