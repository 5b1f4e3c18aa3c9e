"""Support's commands in the private chats of its people: links, attempts, the funnel."""
