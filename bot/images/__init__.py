"""The pictures that the bot sends: QR codes, the cards that replace a code, and the funnel's chart."""
