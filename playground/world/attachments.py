"""What people send besides text: each kind of attachment with sample content, enough for tests."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from mimetypes import guess_type
from typing import Any

from playground.world.errors import BadControlRequest
from playground.world.files import InvalidPhoto, recompress_photo, sample_picture
from playground.world.records import Json
from playground.world.world import World

AttachmentFields = Mapping[str, Any]


def make_attachment(world: World, user: int, kind: str, fields: AttachmentFields) -> Json:
    """Return the media field of a message in the Bot API's form.

    Raises `BadControlRequest` for an unknown kind or content that cannot be read.
    """
    make = _MAKERS.get(kind)
    if make is None:
        raise BadControlRequest(f"unknown kind {kind!r}; known: text, {', '.join(_MAKERS)}")
    return {kind: make(world, user, fields)}


def _photo(world: World, user: int, fields: AttachmentFields) -> Any:
    try:
        return world.files.store_photo(recompress_photo(_decoded_content(fields) or sample_picture()))
    except InvalidPhoto as error:
        raise BadControlRequest(str(error)) from None


def _document(world: World, user: int, fields: AttachmentFields) -> Json:
    name = str(fields.get("file_name") or "document.txt")
    return world.files.store_media(
        "document",
        _decoded_content(fields) or b"A document.\n",
        name=name,
        mime_type=guess_type(name)[0] or "text/plain",
    )


def _sticker(world: World, user: int, fields: AttachmentFields) -> Json:
    shape: dict[str, Any] = {"width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False}
    emoji = str(fields.get("emoji") or "👍")
    return world.files.store_media("sticker", sample_picture("WEBP"), **shape, emoji=emoji)


def _recording(kind: str, content: bytes, **facts: Any) -> Callable[[World, int, AttachmentFields], Json]:
    def make(world: World, user: int, fields: AttachmentFields) -> Json:
        duration = int(fields.get("duration") or 3)
        content_given = _decoded_content(fields) or content
        return world.files.store_media(kind, content_given, **facts, duration=duration)

    return make


def _contact(world: World, user: int, fields: AttachmentFields) -> Json:
    person = world.people[user]
    phone = str(fields.get("phone_number") or "+8613800138000")
    return {"phone_number": phone, "first_name": person.first_name, "user_id": person.id}


def _location(world: World, user: int, fields: AttachmentFields) -> Json:
    return {
        "latitude": float(fields.get("latitude", 39.9042)),
        "longitude": float(fields.get("longitude", 116.4074)),
    }


def _poll(world: World, user: int, fields: AttachmentFields) -> Json:
    options = [str(option) for option in fields.get("options") or ("是", "否")]
    return {
        "id": str(world.rng.randrange(10**17, 10**18)),
        "question": str(fields.get("question") or "？"),
        "options": [
            {"persistent_id": str(number), "text": option, "voter_count": 0} for number, option in enumerate(options)
        ],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": True,
        "members_only": False,
    }


_MAKERS: Mapping[str, Callable[[World, int, AttachmentFields], Any]] = {
    "photo": _photo,
    "document": _document,
    "sticker": _sticker,
    "voice": _recording("voice", b"OggS"),
    "video_note": _recording("video_note", b"\0", length=240),
    "video": _recording("video", b"\0", width=640, height=360),
    "animation": _recording("animation", b"\0", width=320, height=180),
    "audio": _recording("audio", b"ID3"),
    "contact": _contact,
    "location": _location,
    "poll": _poll,
}


def _decoded_content(fields: AttachmentFields) -> bytes | None:
    encoded = fields.get("base64")
    if encoded is None:
        return None
    try:
        return base64.b64decode(str(encoded), validate=True)
    except binascii.Error:
        raise BadControlRequest("base64: this is not base64") from None
