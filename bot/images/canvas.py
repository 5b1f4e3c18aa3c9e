"""A canvas with bars, discs and text in Pillow's built-in font, which needs no font file.

The picture is drawn at twice its size and reduced at the end, which makes its edges smooth. The font has only Latin
letters; other characters of a text are left out.
"""

from enum import StrEnum
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

_SCALE = 2


class Colour(StrEnum):
    """The palette; the warm colours mark what the reader must see first."""

    PAPER = "#fbfaf7"
    INK = "#22303c"
    QUIET = "#7a8793"
    TRACK = "#ebeef0"
    BAR = "#3f7d8c"
    SOFT = "#c9dde1"
    WARM = "#d9702e"
    SOFT_WARM = "#f7dcc8"


class Canvas:
    """A picture to draw on; coordinates are in pixels from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._image = Image.new("RGB", (width * _SCALE, height * _SCALE), Colour.PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def bar(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Draw a bar with round ends; a bar without width is not drawn."""
        if width > 0:
            box = (left, top, left + max(width, height), top + height)
            self._draw.rounded_rectangle([each * _SCALE for each in box], height * _SCALE / 2, fill=colour)

    def block(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Draw a block with slightly round corners; a block without area is not drawn."""
        if width > 0 and height > 0:
            box = (left, top, left + width, top + height)
            radius = min(8, width / 2, height / 2) * _SCALE
            self._draw.rounded_rectangle([each * _SCALE for each in box], radius, fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a disc with its centre at a point."""
        box = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse([each * _SCALE for each in box], fill=colour)

    def down_arrow(self, x: float, y: float, colour: Colour) -> None:
        """Draw a small arrow that points down."""
        corners = ((x - 8, y - 5), (x + 8, y - 5), (x, y + 7))
        self._draw.polygon([(across * _SCALE, down * _SCALE) for across, down in corners], fill=colour)

    def text(self, x: float, y: float, text: str, size: int, colour: Colour = Colour.INK, anchor: str = "lm") -> float:
        """Write a text, anchored at its left middle unless `anchor` (Pillow's) says otherwise; gives its width."""
        printable = "".join(letter for letter in text if letter.isascii() and letter.isprintable())
        font = _font(size * _SCALE)
        self._draw.text((x * _SCALE, y * _SCALE), printable, fill=colour, font=font, anchor=anchor)
        return font.getlength(printable) / _SCALE

    def png(self) -> bytes:
        """The picture as PNG."""
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
