"""The pages that a person opens on the phone."""
