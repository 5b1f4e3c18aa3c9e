"""Computes the modules of a QR code, from the tables of the package `qrcode`.

The package sets one module after the other in Python, which takes a few milliseconds of the event loop. Here the layout
of each version is learned from the package once; afterwards a code is a lookup of its bits in that layout. The modules
are those of the package with the same mask.
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from itertools import chain, zip_longest
from operator import itemgetter

from qrcode import QRCode
from qrcode.base import gexp, glog, rs_blocks
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.LUT import rsPoly_LUT
from qrcode.util import BIT_LIMIT_TABLE, MODE_8BIT_BYTE, PAD0, PAD1

MASK = 2
"""A fixed mask: the package spends most of its time on trying all eight, and a code with any mask is readable."""
QUIET = 4
_LONG = 10
"""From this version on, the length of the data has 16 bits instead of 8."""
_VERSIONS = 40
_SWAP = str.maketrans("01", "10")


def matrix(link: str) -> list[str]:
    """See `bot.images.qr.matrix`; with error correction M, a code reads with 15 % of it damaged."""
    data = link.encode()
    version = _version(len(data))
    words = _codewords(data, version)
    bits = f"{int.from_bytes(words):0{8 * len(words)}b}"
    side = 17 + 4 * version
    modules = "".join(_layout(version)(f"{bits}{bits.translate(_SWAP)}01"))
    frame, quiet = "0" * QUIET, ["0" * (side + 2 * QUIET)] * QUIET
    return [*quiet, *(f"{frame}{modules[at : at + side]}{frame}" for at in range(0, side * side, side)), *quiet]


def _version(length: int) -> int:
    """The smallest version that holds so many bytes; raises `DataOverflowError` above 2,331."""
    limits = BIT_LIMIT_TABLE[ERROR_CORRECT_M]
    version = bisect_left(limits, 4 + 8 + 8 * length, 1)
    if version >= _LONG:
        version = bisect_left(limits, 4 + 16 + 8 * length, _LONG)
    if version > _VERSIONS:
        raise DataOverflowError
    return version


def _codewords(data: bytes, version: int) -> bytes:
    """The data and their error correction, interleaved block by block."""
    blocks = rs_blocks(version, ERROR_CORRECT_M)
    capacity = sum(block.data_count for block in blocks)
    length_bits = 8 if version < _LONG else 16
    # The mode, the length, the data, and four bits of zero as an end; the capacity is whole bytes.
    head = (MODE_8BIT_BYTE << length_bits | len(data)) << 8 * len(data)
    words = ((head | int.from_bytes(data)) << 4).to_bytes(len(data) + 1 + length_bits // 8)
    words += bytes((PAD0, PAD1)) * ((capacity - len(words) + 1) // 2)
    parts, start = [], 0
    for block in blocks:
        parts.append(words[start : start + block.data_count])
        start += block.data_count
    corrections = [
        _correction(part, block.total_count - block.data_count) for part, block in zip(parts, blocks, strict=True)
    ]
    columns = chain(zip_longest(*parts), zip_longest(*corrections))
    return bytes(word for column in columns for word in column if word is not None)


def _correction(data: bytes, count: int) -> bytes:
    """The Reed-Solomon code of a block: the remainder of its division by the generator polynomial."""
    multiples, top, mask = _multiples(count), 8 * (count - 1), (1 << 8 * (count - 1)) - 1
    remainder = 0
    for byte in data:
        remainder = ((remainder & mask) << 8) ^ multiples[byte ^ (remainder >> top)]
    return remainder.to_bytes(count)


@cache
def _multiples(count: int) -> list[int]:
    """The generator polynomial of that degree, without its leading 1, times each byte."""
    factors = rsPoly_LUT[count][1:]
    products = ((gexp(glog(byte) + glog(factor)) if factor else 0 for factor in factors) for byte in range(1, 256))
    return [0, *(int.from_bytes(bytes(each)) for each in products)]


@cache
def _layout(version: int) -> Callable[[str], tuple[str, ...]]:
    """Where the modules of a version come from: a bit, an inverted bit of a masked module, or a fixed light or dark."""
    total = 8 * sum(block.total_count for block in rs_blocks(version, ERROR_CORRECT_M))
    blank = _drawn(version, [False] * total)
    # Bit by bit, the number of the bit that each module shows, counted from 1; fixed modules show none.
    numbers = [0] * len(blank)
    for power in range(total.bit_length()):
        drawn = _drawn(version, [bool(number >> power & 1) for number in range(1, total + 1)])
        for at, module in enumerate(drawn):
            numbers[at] |= (module != blank[at]) << power
    fixed = 2 * total
    return itemgetter(
        *(
            (number - 1 + (total if dark else 0)) if number else fixed + dark
            for number, dark in zip(numbers, blank, strict=True)
        )
    )


def _drawn(version: int, bits: list[bool]) -> list[bool]:
    """The modules, as the package draws a code with these bits."""
    code = QRCode(version=version, error_correction=ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    text = "".join("01"[bit] for bit in bits)
    code.data_cache = list(int(text, 2).to_bytes(len(bits) // 8))
    code.makeImpl(test=False, mask_pattern=MASK)
    return [bool(module) for row in code.get_matrix() for module in row]
