"""A sheet to draw calm pictures on: bars with round ends, discs, and text in the one font that is always there.

It is drawn at twice its size and made smaller at the end, which is what makes edges smooth. The font knows Latin only:
what else stands in a text is left out.
"""

from enum import StrEnum
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

_SCALE = 2


class Colour(StrEnum):
    """The few colours there are; the warm one is for what must be seen first."""

    PAPER = "#fbfaf7"
    INK = "#22303c"
    QUIET = "#7a8793"
    TRACK = "#ebeef0"
    BAR = "#3f7d8c"
    SOFT = "#c9dde1"
    WARM = "#d9702e"
    SOFT_WARM = "#f7dcc8"


class Canvas:
    """A sheet of paper; places are counted from its upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._image = Image.new("RGB", (width * _SCALE, height * _SCALE), Colour.PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def bar(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Draw a bar with round ends; one of no width is none."""
        if width > 0:
            box = (left, top, left + max(width, height), top + height)
            self._draw.rounded_rectangle([each * _SCALE for each in box], height * _SCALE / 2, fill=colour)

    def block(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Draw a block with corners a little round; one without area is none."""
        if width > 0 and height > 0:
            box = (left, top, left + width, top + height)
            radius = min(8, width / 2, height / 2) * _SCALE
            self._draw.rounded_rectangle([each * _SCALE for each in box], radius, fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a disc around a point."""
        box = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse([each * _SCALE for each in box], fill=colour)

    def down_arrow(self, x: float, y: float, colour: Colour) -> None:
        """Draw a small arrow that points down."""
        corners = ((x - 8, y - 5), (x + 8, y - 5), (x, y + 7))
        self._draw.polygon([(across * _SCALE, down * _SCALE) for across, down in corners], fill=colour)

    def text(self, x: float, y: float, text: str, size: int, colour: Colour = Colour.INK, anchor: str = "lm") -> float:
        """Write a text, by its left end and middle unless another anchor is named; gives how wide it is."""
        known = "".join(letter for letter in text if letter.isascii() and letter.isprintable())
        font = _font(size * _SCALE)
        self._draw.text((x * _SCALE, y * _SCALE), known, fill=colour, font=font, anchor=anchor)
        return font.getlength(known) / _SCALE

    def png(self) -> bytes:
        """Give the sheet as a picture."""
        file = BytesIO()
        smooth = self._image.resize(self._size, Image.Resampling.BOX)
        smooth.quantize(64, dither=Image.Dither.NONE).save(file, "PNG")
        return file.getvalue()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return font
