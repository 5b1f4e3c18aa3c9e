"""Shows results: console, JUnit XML, HTML pages and pictures."""
