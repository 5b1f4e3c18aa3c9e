"""The HTTP API for other programs: create, list, show and revoke links."""
