"""Support's web desk: pages of links, the funnel, attempts, questions, and the audit log."""
