"""Support's desk on the web: links, the funnel, attempts, what people asked, and who looked at what."""
