"""A phone can read a code after Telegram has recompressed it, and every card exists."""

import io
from collections.abc import Callable

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.flow.effects import Picture
from bot.images.cards import card_png, qr_png

LINK = "http://127.0.0.1:8080/v/abcdefghijklmnopqrstuvwx"
TOKENS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", min_size=24, max_size=24)
PLACES = st.sampled_from(
    ["http://127.0.0.1:8080", "https://bot.example.org", "http://[2001:db8::7]:65535", "https://例子.example"]
)


def decoded(picture: Image.Image) -> str | None:
    found = zxingcpp.read_barcodes(picture.convert("L"))
    return found[0].text if len(found) == 1 else None


def decoded_by_opencv(picture: Image.Image) -> str:
    import cv2  # here, because no other test pays for these two
    import numpy

    text, *_ = cv2.QRCodeDetectorAruco().detectAndDecode(numpy.asarray(picture.convert("L")))
    return text


def opened(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as check:
        check.verify()
    return Image.open(io.BytesIO(png))


def as_jpeg(picture: Image.Image, side: int, quality: int) -> Image.Image:
    shrunk = picture.convert("RGB")
    shrunk.thumbnail((side, side))
    file = io.BytesIO()
    shrunk.save(file, "JPEG", quality=quality)
    return Image.open(file)


@settings(max_examples=40, deadline=None)
@given(PLACES, TOKENS)
def test_inv37_a_code_contains_exactly_its_link(base: str, token: str) -> None:
    link = f"{base}/v/{token}"

    assert decoded(opened(qr_png(link))) == link


@settings(max_examples=15, deadline=None)
@given(TOKENS)
@pytest.mark.parametrize("read", [decoded, decoded_by_opencv])
@pytest.mark.parametrize("side", [1280, 320])
def test_two_readers_read_a_code_after_telegram_recompressed_it(
    read: Callable[[Image.Image], str | None], side: int, token: str
) -> None:
    link = f"https://bot.example.org/v/{token}"

    assert read(as_jpeg(opened(qr_png(link)), side, 60)) == link


def test_a_code_is_a_one_bit_png_of_a_readable_size() -> None:
    picture = opened(qr_png(LINK))

    assert (picture.format, picture.mode) == ("PNG", "1")
    assert 600 <= picture.width == picture.height <= 800


def test_a_code_has_its_quiet_zone() -> None:
    picture = opened(qr_png(LINK)).convert("L")
    module = picture.width // 45  # the largest code for a link of this length has 37 modules, and 8 in its quiet zone
    frame = [picture.getpixel((at, module)) for at in range(picture.width)]
    frame += [picture.getpixel((module, at)) for at in range(picture.height)]

    assert set(frame) == {255}


def test_a_long_public_address_still_makes_a_code() -> None:
    link = f"https://{'sub.' * 20}example.org/some/prefix/v/abcdefghijklmnopqrstuvwx"

    assert decoded(opened(qr_png(link))) == link


@pytest.mark.parametrize("kind", Picture)
def test_every_card_is_a_picture_that_telegram_accepts(kind: Picture) -> None:
    picture = opened(card_png(kind))

    assert picture.width + picture.height <= 10_000
    assert len(card_png(kind)) < 100_000
    assert decoded(picture) is None
