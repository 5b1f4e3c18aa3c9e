"""A small browser without JavaScript that opens links as the apps of a phone do."""
