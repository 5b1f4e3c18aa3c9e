"""The Bot API over HTTP, with the errors of the public server."""
