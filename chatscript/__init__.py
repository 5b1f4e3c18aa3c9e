"""The testers' kit: reads `.chat` scripts and plays them against any bot over HTTP. It knows nothing of our bot."""
