"""The pages a person opens on the phone."""
