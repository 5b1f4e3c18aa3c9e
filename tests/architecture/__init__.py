"""Checks of the source tree as a whole: who may import whom, and which words the code uses."""
