"""The HTTP server: phone pages, support's web desk, the API, health checks, metrics, and webhooks."""
