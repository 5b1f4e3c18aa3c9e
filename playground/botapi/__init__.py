"""The Bot API as the public server speaks it, with its refusals."""
