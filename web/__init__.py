"""Pages and calls over HTTP: the phone page, probes, metrics, and the door for Telegram's webhook."""
