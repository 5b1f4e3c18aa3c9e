"""Files in memory, and what Telegram does to photos: a JPEG whose longest side is 1280 at most."""

from __future__ import annotations

import io
import secrets
import warnings

import zxingcpp
from PIL import Image, UnidentifiedImageError

from playground.world.records import Json, StoredFile

LONGEST_SIDE = 1280
SIDES_TOGETHER = 10_000
LARGEST_RATIO = 20
LARGEST_PHOTO = 10 * 1024 * 1024
THUMBNAIL = 320
JPEG_QUALITY = 87
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class InvalidPhoto(Exception):
    """What was sent as a photo is none, or one that Telegram does not take."""


class FileStore:
    """Every file that passed through a chat, by its file_id."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._photos: dict[str, list[Json]] = {}

    def store(self, content: bytes, *, name: str, type: str, folder: str) -> StoredFile:
        """Store bytes under a fresh file_id."""
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        kept = StoredFile(
            id=f"{_PREFIX.get(folder, 'BQACAgUAAxkBAAI')}{secrets.token_urlsafe(36)}",
            unique_id=f"AQAD{secrets.token_urlsafe(9)}",
            path=f"{folder}/file_{len(self._by_id)}.{suffix}",
            name=name,
            content=content,
            type=type,
        )
        self._by_id[kept.id] = self._by_path[kept.path] = kept
        return kept

    def get(self, file_id: str) -> StoredFile | None:
        """Return the file of that id."""
        return self._by_id.get(file_id)

    def by_path(self, path: str) -> StoredFile | None:
        """Return the file that getFile gave this path for."""
        return self._by_path.get(path)

    def store_photo(self, jpegs: list[tuple[bytes, int, int]]) -> list[Json]:
        """Store the sizes of a photo and return them as the Bot API lists them."""
        sizes: list[Json] = []
        for content, width, height in jpegs:
            kept = self.store(content, name="photo.jpg", type="image/jpeg", folder="photos")
            sizes.append({**file_fields(kept), "width": width, "height": height})
            self._photos[kept.id] = sizes
        return sizes

    def photo(self, file_id: str) -> list[Json] | None:
        """Return all sizes of the photo that a file_id belongs to."""
        return self._photos.get(file_id)

    def store_document(self, content: bytes, *, name: str, type: str) -> Json:
        """Store a document and return it as the Bot API tells of it."""
        kept = self.store(content, name=name, type=type, folder="documents")
        return {"file_name": name, "mime_type": type, **file_fields(kept)}


_PREFIX = {"photos": "AgACAgUAAxkDAAI", "voice": "AwACAgUAAxkBAAI", "stickers": "CAACAgUAAxkBAAI"}


def file_fields(kept: StoredFile) -> Json:
    """Return what every file is told to the bot with."""
    return {"file_id": kept.id, "file_unique_id": kept.unique_id, "file_size": len(kept.content)}


def recompress_photo(content: bytes) -> list[tuple[bytes, int, int]]:
    """Return the sizes of a photo after Telegram's recompression, the largest last."""
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
    """Read the QR code in a picture."""
    with Image.open(io.BytesIO(content)) as picture:
        found = zxingcpp.read_barcodes(picture.convert("L"), formats=_QR)
    return found[0].text if found else None


def _check_sides(width: int, height: int) -> None:
    if width + height > SIDES_TOGETHER or max(width, height) > LARGEST_RATIO * min(width, height):
        raise InvalidPhoto("PHOTO_INVALID_DIMENSIONS")


def _flatten_on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    flat = Image.new("RGBA", seen.size, "white")
    flat.alpha_composite(seen)
    return flat.convert("RGB")


def _jpeg(picture: Image.Image, longest: int) -> tuple[bytes, int, int]:
    small = picture.copy()
    small.thumbnail((longest, longest))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue(), small.width, small.height
