"""The pictures of the dialogue: the QR code of a link, and the cards that replace it when it is no longer valid.

The code is large and has its quiet zone, so that it stays readable after Telegram recompresses the photo.
"""

from functools import cache
from pathlib import Path

from bot.flow.effects import Picture
from bot.images import qr

_CARDS = Path(__file__).parent / "static"
_SIDE = 760


def qr_png(link: str) -> bytes:
    """The QR code of a link as a one-bit PNG of about 760 pixels a side."""
    return qr.png(qr.matrix(link), _SIDE)


@cache
def card_png(picture: Picture) -> bytes:
    """The card that replaces a code, as PNG."""
    return (_CARDS / f"{picture}.png").read_bytes()
