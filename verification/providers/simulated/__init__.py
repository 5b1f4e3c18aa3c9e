"""The simulated providers, which check nothing: their pages, and what a press on them means."""
