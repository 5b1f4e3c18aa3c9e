"""The bot's content: the texts of both languages, the FAQ, and the search that finds a topic for a question."""
