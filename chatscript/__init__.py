"""The testers' kit: reads `.chat` scripts and runs them against any bot over HTTP. It knows nothing of our bot."""
