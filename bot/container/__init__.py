"""Builds every object of the program: the parts, the order in which they are made, and the web side."""
