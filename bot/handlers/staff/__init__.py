"""The commands of support staff in their private chats: links, attempts, the funnel."""
