"""QR codes drawn four ways from one matrix: for chats, for print, for a terminal.

The matrix, with its quiet zone, is written straight into each form: the library's own images take ten times as long.
"""

import struct
import zlib
from itertools import groupby

import qrcode
from qrcode.constants import ERROR_CORRECT_M

_QUIET = 4
_MASK = 2
"""A fixed mask: trying all eight is most of the library's work, and any of them can be read."""
_PRINTED = 1200
"""Pixels a side of a code for print: 10 cm at 300 dpi."""
_HALVES = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}

Matrix = list[list[bool]]


def matrix(link: str) -> Matrix:
    """The modules of a link's code, row by row; dark ones are true."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET, mask_pattern=_MASK)
    code.add_data(link, optimize=0)
    code.make(fit=True)
    modules: Matrix = code.get_matrix()
    return modules


def png(modules: Matrix, side: int) -> bytes:
    """A picture of at most so many pixels a side, one bit each."""
    scale = max(1, side // len(modules))
    size = len(modules) * scale
    rows = b"".join((b"\x00" + _packed(row, scale)) * scale for row in modules)
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def svg(modules: Matrix) -> str:
    """A drawing for print, sharp at any size; 40 mm a side where nobody says otherwise."""
    size = len(modules)
    dark = "".join(_bars(row, top) for top, row in enumerate(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="40mm" height="40mm" viewBox="0 0 {size} {size}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{dark}"/></svg>\n'
    )


def page_svg(link: str) -> str:
    """A link's code as markup, to stand in a page."""
    return svg(matrix(link))


def print_png(link: str) -> bytes:
    """A link's code as a picture, large enough for any poster."""
    return png(matrix(link), _PRINTED)


def terminal_lines(modules: Matrix) -> list[str]:
    """The code in half blocks, two rows a line, light on dark as terminals mostly are."""
    rows = [*modules, [False] * len(modules)] if len(modules) % 2 else modules
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_HALVES[halves] for halves in zip(upper, lower, strict=True)) for upper, lower in pairs]


def _bars(row: list[bool], top: int) -> str:
    drawn, left = "", 0
    for dark, run in groupby(row):
        width = len(list(run))
        drawn += f"M{left} {top}h{width}v1h-{width}z" if dark else ""
        left += width
    return drawn


def _packed(row: list[bool], scale: int) -> bytes:
    bits = "".join(("0" if dark else "1") * scale for dark in row)
    padded = bits + "0" * (-len(bits) % 8)
    return int(padded, 2).to_bytes(len(padded) // 8)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
