"""What people send besides text: each kind of attachment with sample content, enough for tests."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image, ImageDraw

from playground.world.action_errors import BadControlRequest
from playground.world.files import InvalidPhoto, file_fields, recompress_photo
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
        return world.files.store_photo(recompress_photo(_decoded_content(fields) or _sample_picture()))
    except InvalidPhoto as error:
        raise BadControlRequest(str(error)) from None


def _document(world: World, user: int, fields: AttachmentFields) -> Json:
    name = str(fields.get("file_name") or "document.txt")
    return world.files.store_document(_decoded_content(fields) or b"A document.\n", name=name, type="text/plain")


def _sticker(world: World, user: int, fields: AttachmentFields) -> Json:
    stored = world.files.store(_sample_picture("WEBP"), name="sticker.webp", type="image/webp", folder="stickers")
    shape = {"width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False}
    return {**file_fields(stored), **shape, "emoji": str(fields.get("emoji") or "👍")}


def _voice(world: World, user: int, fields: AttachmentFields) -> Json:
    stored = world.files.store(b"OggS", name="voice.ogg", type="audio/ogg", folder="voice")
    return {**file_fields(stored), "duration": int(fields.get("duration") or 3), "mime_type": "audio/ogg"}


def _video_note(world: World, user: int, fields: AttachmentFields) -> Json:
    stored = world.files.store(b"\0", name="note.mp4", type="video/mp4", folder="video_notes")
    return {**file_fields(stored), "length": 240, "duration": int(fields.get("duration") or 3)}


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
    "voice": _voice,
    "video_note": _video_note,
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


def _sample_picture(form: str = "JPEG") -> bytes:
    """Draw a small landscape, the same picture every time."""
    picture = Image.new("RGB", (512, 384 if form == "JPEG" else 512), "#9cc9e8")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((360, 50, 440, 130), fill="#fff3c4")
    pen.polygon([(0, 384), (170, 150), (330, 384)], fill="#5d8f7a")
    pen.polygon([(200, 384), (370, 210), (512, 384)], fill="#41705d")
    pen.rectangle((0, 384, 512, 512), fill="#41705d")
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()
