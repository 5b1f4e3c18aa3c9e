"""The pictures of the chat: a QR code for a link, and the cards that take its place when it is no longer good.

The code is large and has its quiet zone, because Telegram recompresses photos.
"""

from functools import cache
from pathlib import Path

from bot.flow.effects import Picture
from bot.images import qr

_CARDS = Path(__file__).parent / "static"
_SIDE = 760


def qr_png(link: str) -> bytes:
    """The QR code of a link as a PNG of about 760 pixels, one bit each."""
    return qr.png(qr.matrix(link), _SIDE)


@cache
def card_png(picture: Picture) -> bytes:
    """The card that takes the place of a code."""
    return (_CARDS / f"{picture}.png").read_bytes()
