"""The private form: a page on which a person types name and number, so that they do not pass through the chat."""
