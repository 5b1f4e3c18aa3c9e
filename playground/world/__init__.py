"""The state of the simulated Telegram: people, chats, messages, files, updates, the clock. It knows no HTTP."""
