"""The pictures of the chat: a QR code for a link, and the cards that take its place when it is no longer good.

A QR matrix is written straight into a 1-bit PNG: the loop is not kept busy with drawing. The code is large and has its
quiet zone, because Telegram recompresses photos.
"""

import struct
import zlib
from functools import cache
from pathlib import Path

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from bot.flow.effects import Picture

_CARDS = Path(__file__).parent / "cards"
_QUIET = 4
_SIDE = 760
_MASK = 2
"""A fixed mask: trying all eight is most of the library's work, and any of them can be read."""


def qr_png(link: str) -> bytes:
    """The QR code of a link as a PNG of about 760 pixels, one bit each."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET, mask_pattern=_MASK)
    code.add_data(link, optimize=0)
    code.make(fit=True)
    matrix = code.get_matrix()
    return _png(matrix, max(1, _SIDE // len(matrix)))


@cache
def card_png(picture: Picture) -> bytes:
    """The card that takes the place of a code."""
    return (_CARDS / f"{picture}.png").read_bytes()


def _png(matrix: list[list[bool]], scale: int) -> bytes:
    side = len(matrix) * scale
    rows = b"".join((b"\x00" + _packed(row, scale)) * scale for row in matrix)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _packed(row: list[bool], scale: int) -> bytes:
    bits = "".join(("0" if dark else "1") * scale for dark in row)
    padded = bits + "0" * (-len(bits) % 8)
    return int(padded, 2).to_bytes(len(padded) // 8)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
