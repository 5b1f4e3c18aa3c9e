"""Links to the bot, and their QR codes, which a reader can decode."""

import io
import re

import pytest
import zxingcpp
from PIL import Image
from telegram.helpers import create_deep_linked_url

from bot import links
from bot.content.catalogue import FOLDER, LANGUAGES
from bot.content.topics import read
from bot.images import qr
from verification.attempts import Method

LINK = "https://t.me/example_bot?start=faq_three_accounts"


def test_a_link_to_a_topic_is_valid_for_telegram() -> None:
    topics = ["", *(entry.id for entry in read(FOLDER, LANGUAGES)["zh"])]

    assert [links.to_topic("example_bot", topic=topic) for topic in topics] == [
        create_deep_linked_url("example_bot", f"faq_{topic}") for topic in topics
    ]


def test_links_to_a_method_a_language_and_an_account_are_valid_for_telegram() -> None:
    made = [links.to_method("example_bot", Method.QQ), links.to_language("example_bot", language="en")]
    made.append(links.to_account("example_bot", token="a0123456789abcdef_-"))

    assert made == [
        create_deep_linked_url("example_bot", payload) for payload in ("way_qq", "lang_en", "a0123456789abcdef_-")
    ]
    assert [links.payload_in(link) for link in made] == ["way_qq", "lang_en", "a0123456789abcdef_-"]


@pytest.mark.parametrize("text", ["example_bot", "@example_bot", " @example_bot "])
def test_a_bots_name_may_have_an_at_sign_and_spaces(text: str) -> None:
    assert links.parse_bot_name(text) == "example_bot"


@pytest.mark.parametrize("text", ["", "@", "a", "1bot", "bot name", "t.me/bot", "b" * 33, "机器人bot"])
def test_an_invalid_bot_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="user name"):
        links.parse_bot_name(text)


def read_back(picture: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    return str(found.text)


def test_inv37_a_png_for_print_contains_the_link_in_the_requested_size() -> None:
    drawn = Image.open(io.BytesIO(qr.png(qr.matrix(LINK), 1600)))

    assert read_back(drawn) == LINK
    assert 1500 < drawn.width == drawn.height <= 1600


def test_inv37_an_svg_contains_the_link() -> None:
    drawn = qr.svg(qr.matrix(LINK))
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', drawn)[1])  # type: ignore[index]
    picture = Image.new("1", (side, side), 1)
    for left, top, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn):
        for x in range(int(width)):
            picture.putpixel((int(left) + x, int(top)), 0)

    assert read_back(picture.resize((side * 8, side * 8))) == LINK


def test_inv37_the_code_in_a_terminal_contains_the_link() -> None:
    lines = qr.terminal_lines(qr.matrix(LINK))
    light = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    picture = Image.new("1", (len(lines[0]), 2 * len(lines)), 1)
    for row, line in enumerate(lines):
        for x, character in enumerate(line):
            for half in (0, 1):
                picture.putpixel((x, 2 * row + half), light[character][half])

    assert read_back(picture.resize((picture.width * 8, picture.height * 8))) == LINK
