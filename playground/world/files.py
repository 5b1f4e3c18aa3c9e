"""Files in memory, and what Telegram does to photos: it stores a JPEG whose longest side is at most 1280 pixels.

The limits of photos: https://core.telegram.org/bots/api#sendphoto
"""

from __future__ import annotations

import io
import re
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import zxingcpp
from PIL import Image, ImageDraw, UnidentifiedImageError

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


@dataclass(frozen=True, slots=True)
class MediaKind:
    """How files of a kind are stored: the folder, the usual name and type, and how their file_ids begin."""

    folder: str
    name: str
    type: str
    prefix: str


# A file_id tells the kind of its file in its first bytes.
MEDIA_KINDS: Mapping[str, MediaKind] = {
    "photo": MediaKind("photos", "photo.jpg", "image/jpeg", "AgAC"),
    "document": MediaKind("documents", "document", "application/octet-stream", "BQAC"),
    "video": MediaKind("videos", "video.mp4", "video/mp4", "BAAC"),
    "animation": MediaKind("animations", "animation.mp4", "video/mp4", "CgAC"),
    "audio": MediaKind("music", "audio.mp3", "audio/mpeg", "CQAC"),
    "voice": MediaKind("voice", "voice.ogg", "audio/ogg", "AwAC"),
    "video_note": MediaKind("video_notes", "note.mp4", "video/mp4", "DQAC"),
    "sticker": MediaKind("stickers", "sticker.webp", "image/webp", "CAAC"),
    "live_photo": MediaKind("live_photos", "live.mp4", "video/mp4", "KwAC"),
}
_FOREIGN_ID = re.compile(r"[\w-]{40,200}")


def kind_of_file_id(file_id: str) -> str | None:
    """Return the kind of file that a file_id names by its first bytes; None when it cannot be a file_id."""
    if not _FOREIGN_ID.fullmatch(file_id):
        return None
    return next((kind for kind, stored in MEDIA_KINDS.items() if file_id.startswith(stored.prefix)), None)


class FileStore:
    """Every file of every chat, by its file_id."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._media: dict[str, tuple[str, Any]] = {}

    def store(self, content: bytes, *, kind: str, name: str = "", type: str = "") -> StoredFile:
        """Store bytes under a new file_id."""
        usual = MEDIA_KINDS[kind]
        name, type = name or usual.name, type or usual.type
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        stored = StoredFile(
            id=f"{usual.prefix}AgUAAxkBAAI{secrets.token_urlsafe(36)}",
            unique_id=f"AQAD{secrets.token_urlsafe(9)}",
            path=f"{usual.folder}/file_{len(self._by_id)}.{suffix}",
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
            stored = self.store(content, kind="photo")
            sizes.append({**file_fields(stored), "width": width, "height": height})
            self._media[stored.id] = "photo", sizes
        return sizes

    def store_media(self, kind: str, content: bytes, *, name: str = "", mime_type: str = "", **facts: Any) -> Json:
        """Store a file that is no photo, and return it in the Bot API's form; `facts` are its further fields."""
        stored = self.store(content, kind=kind, name=name, type=mime_type)
        named = {} if kind in _NAMELESS else {"file_name": stored.name}
        typed = {} if kind in _TYPELESS else {"mime_type": stored.type}
        media = {**named, **typed, **file_fields(stored), **facts}
        self._media[stored.id] = kind, media
        return media

    def media(self, file_id: str) -> tuple[str, Any] | None:
        """Return the kind of the media that a file_id belongs to, and the media in the Bot API's form."""
        return self._media.get(file_id)


_NAMELESS = frozenset({"voice", "video_note", "sticker"})
_TYPELESS = frozenset({"video_note", "sticker"})


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


def sample_picture(form: str = "JPEG") -> bytes:
    """Draw a small landscape, the same picture every time. It stands for a picture that the simulator has not got."""
    picture = Image.new("RGB", (512, 384 if form == "JPEG" else 512), "#9cc9e8")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((360, 50, 440, 130), fill="#fff3c4")
    pen.polygon([(0, 384), (170, 150), (330, 384)], fill="#5d8f7a")
    pen.polygon([(200, 384), (370, 210), (512, 384)], fill="#41705d")
    pen.rectangle((0, 384, 512, 512), fill="#41705d")
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()
