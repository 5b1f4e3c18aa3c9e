"""Work that runs by itself beside the conversations: cleanup, the result webhook, the funnel's metrics."""
