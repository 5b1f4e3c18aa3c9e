"""Background work: cleanup, the result webhook, the metrics of the funnel."""
