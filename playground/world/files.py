"""Files in memory, and what Telegram does to photos: it stores a JPEG whose longest side is at most 1280 pixels.

The limits of photos: https://core.telegram.org/bots/api#sendphoto
"""

from __future__ import annotations

import io
import secrets
import warnings

import zxingcpp
from PIL import Image, UnidentifiedImageError

from playground.world.records import Json, StoredFile

LONGEST_SIDE = 1280
MAX_WIDTH_PLUS_HEIGHT = 10_000
MAX_RATIO = 20
LARGEST_PHOTO = 10 * 1024 * 1024
THUMBNAIL = 320
JPEG_QUALITY = 87
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class InvalidPhoto(Exception):
    """The bytes are no picture, or a picture that Telegram refuses as a photo."""


class FileStore:
    """Every file of every chat, by its file_id."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._photos: dict[str, list[Json]] = {}

    def store(self, content: bytes, *, name: str, type: str, folder: str) -> StoredFile:
        """Store bytes under a new file_id."""
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        stored = StoredFile(
            id=f"{_PREFIX.get(folder, 'BQACAgUAAxkBAAI')}{secrets.token_urlsafe(36)}",
            unique_id=f"AQAD{secrets.token_urlsafe(9)}",
            path=f"{folder}/file_{len(self._by_id)}.{suffix}",
            name=name,
            content=content,
            type=type,
        )
        self._by_id[stored.id] = self._by_path[stored.path] = stored
        return stored

    def get(self, file_id: str) -> StoredFile | None:
        """Return the file with that file_id."""
        return self._by_id.get(file_id)

    def by_path(self, path: str) -> StoredFile | None:
        """Return the file with that path, the `file_path` of getFile."""
        return self._by_path.get(path)

    def store_photo(self, jpegs: list[tuple[bytes, int, int]]) -> list[Json]:
        """Store the sizes of a photo and return them as the Bot API lists them."""
        sizes: list[Json] = []
        for content, width, height in jpegs:
            stored = self.store(content, name="photo.jpg", type="image/jpeg", folder="photos")
            sizes.append({**file_fields(stored), "width": width, "height": height})
            self._photos[stored.id] = sizes
        return sizes

    def photo(self, file_id: str) -> list[Json] | None:
        """Return all sizes of the photo that a file_id belongs to."""
        return self._photos.get(file_id)

    def store_document(self, content: bytes, *, name: str, type: str) -> Json:
        """Store a document and return it in the Bot API's form."""
        stored = self.store(content, name=name, type=type, folder="documents")
        return {"file_name": name, "mime_type": type, **file_fields(stored)}


_PREFIX = {"photos": "AgACAgUAAxkDAAI", "voice": "AwACAgUAAxkBAAI", "stickers": "CAACAgUAAxkBAAI"}


def file_fields(stored: StoredFile) -> Json:
    """Return the fields that describe a file in every method of the Bot API."""
    return {"file_id": stored.id, "file_unique_id": stored.unique_id, "file_size": len(stored.content)}


def recompress_photo(content: bytes) -> list[tuple[bytes, int, int]]:
    """Return the sizes of a photo after Telegram's recompression, as (JPEG, width, height), the largest last.

    Raises `InvalidPhoto` with the public server's words.
    """
    if len(content) > LARGEST_PHOTO:
        raise InvalidPhoto("too big for a photo")
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            _check_sides(picture.width, picture.height)
            flat = _flatten_on_white(picture)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombWarning) as error:
        raise InvalidPhoto("IMAGE_PROCESS_FAILED") from error
    sides = [side for side in (THUMBNAIL, LONGEST_SIDE) if side == LONGEST_SIDE or max(flat.size) > side]
    return [_jpeg(flat, side) for side in sides]


def read_qr_code(content: bytes) -> str | None:
    """Return the text of the QR code in a picture, or None."""
    with Image.open(io.BytesIO(content)) as picture:
        found = zxingcpp.read_barcodes(picture.convert("L"), formats=_QR)
    return found[0].text if found else None


def _check_sides(width: int, height: int) -> None:
    if width + height > MAX_WIDTH_PLUS_HEIGHT or max(width, height) > MAX_RATIO * min(width, height):
        raise InvalidPhoto("PHOTO_INVALID_DIMENSIONS")


def _flatten_on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    flat = Image.new("RGBA", layered.size, "white")
    flat.alpha_composite(layered)
    return flat.convert("RGB")


def _jpeg(picture: Image.Image, longest: int) -> tuple[bytes, int, int]:
    small = picture.copy()
    small.thumbnail((longest, longest))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue(), small.width, small.height
