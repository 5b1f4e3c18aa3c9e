"""How long the event loop is busy with the QR code of a link of 80 characters.

Run: `python -m bench.qr`. The package's own code with the same mask is measured beside ours; the smallest of many runs
counts, in processor time.
"""

import time
import timeit

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

from bot.images.cards import qr_png
from bot.images.qr_matrix import MASK

LINK = "https://verification.example.org/v/" + "aB3_-" * 9
CALLS = 50
REPETITIONS = 25


def packages_modules() -> None:
    """The modules alone, by the package."""
    code = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
    code.add_data(LINK, optimize=0)
    code.make(fit=True)


def our_picture() -> None:
    """The modules and the picture, by us."""
    qr_png(LINK)


def main() -> None:
    """Measure both, and print the table."""
    for name, draw in (("modules by the package", packages_modules), ("our PNG", our_picture)):
        draw()
        least = min(timeit.repeat(draw, number=CALLS, repeat=REPETITIONS, timer=time.process_time)) / CALLS
        print(f"{name:24} {1000 * least:6.3f} ms")


if __name__ == "__main__":
    main()
