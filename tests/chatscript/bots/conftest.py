"""Excludes the scripts here from collection: their own tests run them against the bots they belong to."""

collect_ignore_glob = ["foreign/*.chat"]
