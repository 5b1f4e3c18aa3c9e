"""The simulator as a server on loopback: the control API, the chat page, the phone frame."""
