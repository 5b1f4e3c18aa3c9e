"""Scripts here are played by tests of their own, against the bots they belong to."""

collect_ignore_glob = ["foreign/*.chat"]
