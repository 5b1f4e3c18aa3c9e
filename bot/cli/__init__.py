"""What operators do beside running the bot: look after keys, copies, what is kept, and whether all is well."""
