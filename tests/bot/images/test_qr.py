"""A QR code has the modules of the package `qrcode`, and each format shows exactly these modules."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_8BIT_BYTE, QRData

from bot.images import qr
from bot.images.qr import Matrix, matrix
from bot.images.qr_matrix import MASK, QUIET

LONGEST = 2331
LENGTHS = (1, 14, 15, 52, 80, 106, 107, 122, 180, 181, 213, 214, 590, 591, 1000, LONGEST)
"""The last that fits a version and the first that does not, where the length's field grows, and what lies between."""


def packages_own(link: str) -> Matrix:
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET, mask_pattern=MASK)
    code.add_data(QRData(link.encode(), mode=MODE_8BIT_BYTE))
    code.make(fit=True)
    return ["".join("01"[bool(module)] for module in row) for row in code.get_matrix()]


@pytest.mark.parametrize("length", LENGTHS)
def test_the_modules_are_those_of_the_package_with_the_same_mask(length: int) -> None:
    link = ("https://bot.example.org/v/" + "aB3_-" * LONGEST)[:length]

    assert matrix(link) == packages_own(link)


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_text_has_the_modules_of_the_package(text: str) -> None:
    assert matrix(text) == packages_own(text)


def test_a_text_that_fits_no_code_is_refused_as_the_package_refuses_it() -> None:
    with pytest.raises(DataOverflowError):
        matrix("a" * (LONGEST + 1))


@pytest.mark.parametrize("side", [1, 45, 400, 760, 1200])
@pytest.mark.parametrize("length", [10, 52, 80, 122])
def test_a_png_shows_each_module_as_a_square(side: int, length: int) -> None:
    modules = matrix("a" * length)
    picture = Image.open(io.BytesIO(qr.png(modules, side)))
    scale = max(1, side // len(modules))

    assert (picture.mode, picture.size) == ("1", (scale * len(modules),) * 2)
    rows = [row for row in modules for _ in range(scale)]
    expected = [255 * (module == "0") for row in rows for module in row for _ in range(scale)]
    assert list(picture.convert("L").tobytes()) == expected
