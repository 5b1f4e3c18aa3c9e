"""The language of `.chat` scripts: turns text into typed steps and finds the mistakes in it."""
