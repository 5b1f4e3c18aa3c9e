"""One transaction for each event, then the delivery of what it shows.

The runner, its turns, the delivery queue, the replicas and the notices belong here. Nothing here knows Telegram.
"""
