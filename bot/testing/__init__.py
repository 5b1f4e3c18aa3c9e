"""Tools that only tests need: a fork server for bots, and the coverage of the dialogue."""
