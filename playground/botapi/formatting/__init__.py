"""Formatted texts: HTML, MarkdownV2 and lists of entities, read by the rules of the public server."""
