"""The command line: operators' commands (keys, backup, doctor, retention, erase) and support's (links, funnel)."""
