"""Ways to check that a person is who they say: one module for each kind of provider."""
