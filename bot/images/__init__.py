"""Pictures the bot sends: QR codes, cards for the ends of a code, the funnel's chart."""
