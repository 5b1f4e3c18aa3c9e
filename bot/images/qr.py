"""Draws QR codes as PNG for chats and print, as SVG, and as text for a terminal.

The modules, with the quiet zone, are written directly in each format; the library's own images take far longer.
"""

import struct
import zlib
from functools import cache
from itertools import groupby

Matrix = list[str]
"""Row by row with the quiet zone: "1" is a dark module, "0" a light one."""

_PRINTED = 1200
"""Pixels per side of a code for print: 10 cm at 300 dpi."""
_HALVES = {"00": "█", "01": "▀", "10": "▄", "11": " "}


def matrix(link: str) -> Matrix:
    """The modules of a link's code."""
    # The package brings Pillow with it, and the first code is wanted long after the start.
    from bot.images.qr_matrix import matrix as draw

    return draw(link)


def png(modules: Matrix, side: int) -> bytes:
    """The code as a one-bit PNG of at most `side` pixels per side."""
    scale = max(1, side // len(modules))
    size = len(modules) * scale
    length = (size + 7) // 8
    # The first line of a row is written as it is (filter 0), the others as a difference of zero to it (filter 2).
    repeated = (b"\x02" + bytes(length)) * (scale - 1)
    rows = b"".join(b"\x00" + _line(row, scale)[:length] + repeated for row in modules)
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
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


def terminal_text(link: str) -> str:
    """A link's code as text for a terminal."""
    return "".join(f"{line}\n" for line in terminal_lines(matrix(link)))


def terminal_lines(modules: Matrix) -> list[str]:
    """The code in half blocks, two rows per line, for a terminal with light text on a dark background."""
    rows = [*modules, "0" * len(modules)] if len(modules) % 2 else modules
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_HALVES[above + below] for above, below in zip(*pair, strict=True)) for pair in pairs]


def _bars(row: str, top: int) -> str:
    drawn, left = "", 0
    for module, run in groupby(row):
        width = len(list(run))
        drawn += f"M{left} {top}h{width}v1h-{width}z" if module == "1" else ""
        left += width
    return drawn


def _line(row: str, scale: int) -> bytes:
    """A line of pixels; eight modules are whole bytes at any scale."""
    padded = row + "0" * (-len(row) % 8)
    lines = _eight_modules(scale)
    return b"".join([lines[eight] for eight in int(padded, 2).to_bytes(len(padded) // 8)])


@cache
def _eight_modules(scale: int) -> list[bytes]:
    """The pixels of each eight modules; a light pixel is 1."""
    pixels = {"0": "1" * scale, "1": "0" * scale}
    scaled = ("".join(pixels[module] for module in f"{eight:08b}") for eight in range(256))
    return [int(bits, 2).to_bytes(scale) for bits in scaled]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
