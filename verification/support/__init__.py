"""What support staff need from the core: links, attempts, the funnel, and the audit log."""
