"""The language of `.chat` scripts: from text to typed steps, and what is wrong with a text."""
