"""Draws QR codes as PNG for chats and print, as SVG, and as text for a terminal.

The modules, with the quiet zone, are written directly in each format; the library's own images take ten times as long.
"""

import struct
import zlib
from itertools import groupby

import qrcode
from qrcode.constants import ERROR_CORRECT_M

_QUIET = 4
_MASK = 2
"""A fixed mask: the library spends most of its time on trying all eight, and a code with any mask is readable."""
_PRINTED = 1200
"""Pixels per side of a code for print: 10 cm at 300 dpi."""
_HALVES = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}

Matrix = list[list[bool]]


def matrix(link: str) -> Matrix:
    """The modules of a link's code, row by row; True is dark."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET, mask_pattern=_MASK)
    code.add_data(link, optimize=0)
    code.make(fit=True)
    modules: Matrix = code.get_matrix()
    return modules


def png(modules: Matrix, side: int) -> bytes:
    """The code as a one-bit PNG of at most `side` pixels per side."""
    scale = max(1, side // len(modules))
    size = len(modules) * scale
    rows = b"".join((b"\x00" + _packed(row, scale)) * scale for row in modules)
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def svg(modules: Matrix) -> str:
    """The code as SVG, 40 mm per side by default."""
    size = len(modules)
    dark = "".join(_bars(row, top) for top, row in enumerate(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="40mm" height="40mm" viewBox="0 0 {size} {size}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{dark}"/></svg>\n'
    )


def page_svg(link: str) -> str:
    """A link's code as SVG markup for a page."""
    return svg(matrix(link))


def print_png(link: str) -> bytes:
    """A link's code as a PNG that is large enough for a poster."""
    return png(matrix(link), _PRINTED)


def terminal_lines(modules: Matrix) -> list[str]:
    """The code in half blocks, two rows per line, for a terminal with light text on a dark background."""
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
