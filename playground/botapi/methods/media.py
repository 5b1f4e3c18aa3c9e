"""Files that a call brings, names by a file_id, or names by a URL, as the media of a message.

The simulator fetches nothing from the web and has no files of other bots, so sample content stands for those, with a
remark. A file_id keeps its kind, as on the public server: a video that is sent with sendDocument stays a video.
"""

from __future__ import annotations

import asyncio
from typing import Any

from playground.botapi.fields import CallFields, Upload
from playground.botapi.formatting.urls import InvalidUrl, normalize_url
from playground.world.errors import bad_request
from playground.world.files import InvalidPhoto, kind_of_file_id, recompress_photo, sample_picture
from playground.world.records import Json
from playground.world.world import World

Media = tuple[str, Json]
"""The kind of a message, and its media fields under the Bot API's names."""

_FACTS: dict[str, dict[str, Any]] = {
    "video": {"width": 640, "height": 360, "duration": 0},
    "animation": {"width": 320, "height": 180, "duration": 0},
    "audio": {"duration": 0, "performer": "", "title": ""},
    "voice": {"duration": 0},
    "video_note": {"length": 240, "duration": 0},
    "live_photo": {"width": 640, "height": 360, "duration": 0},
    "sticker": {"width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False, "emoji": ""},
}


async def media_of(world: World, fields: CallFields, kind: str) -> Media:
    """Return the media of the field that has the name of its kind. Raises `ApiError`."""
    given = {name: fields.text(name) for name in _FACTS.get(kind, ())}
    return await find_media(world, fields, kind, fields.text(kind), fields.upload(kind), given)


async def find_media(
    world: World,
    fields: CallFields,
    kind: str,
    reference: str,
    upload: Upload | None,
    given: Json,
) -> Media:
    """Return the media that an upload or a reference names; `given` are its size and duration. Raises `ApiError`."""
    if upload is None:
        return await _referenced(world, fields, kind, reference, given)
    if not upload.content:
        raise bad_request("file must be non-empty")
    return kind, await _stored(world, kind, upload.content, given, upload)


async def _referenced(world: World, fields: CallFields, kind: str, reference: str, given: Json) -> Media:
    if not reference or reference.startswith("attach://"):
        raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
    if known := world.files.media(reference):
        return _reused(kind, *known)
    if reference.startswith(("http://", "https://")):
        _check_url(reference)
        fields.remark("the simulator fetches no URL: sample content stands for the file")
        return kind, await _stored(world, kind, _sample(kind), given, None, reference)
    if (named := kind_of_file_id(reference)) is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    fields.remark("the simulator has no files of other bots: sample content stands for the file_id")
    kind = _reused(kind, named, None)[0]
    return kind, await _stored(world, kind, _sample(kind), given)


def _reused(kind: str, known_kind: str, media: Any) -> Media:
    if (kind == "photo") != (known_kind == "photo"):
        names = (_type_name(known_kind), _type_name(kind))
        raise bad_request(f"can't use file of type {names[0]} as {names[1]}")
    return known_kind, _fields(known_kind, media)


def _type_name(kind: str) -> str:
    return kind.title().replace("_", "")


def _fields(kind: str, media: Any) -> Json:
    # An animation is a document, too, for programs that do not know animations.
    return {kind: media} | ({"document": media} if kind == "animation" else {})


async def _stored(
    world: World, kind: str, content: bytes, given: Json, upload: Upload | None = None, url: str = ""
) -> Json:
    if kind == "photo":
        try:
            # Compressing takes long enough to delay other calls, so it runs in a thread.
            return {"photo": world.files.store_photo(await asyncio.to_thread(recompress_photo, content))}
        except InvalidPhoto as error:
            raise bad_request(str(error)) from None
    name = upload.name if upload else url.partition("?")[0].rpartition("/")[2]
    type = upload.type if upload and upload.type != _UNKNOWN_TYPE else ""
    facts = {name: _fact(given.get(name), usual) for name, usual in _FACTS.get(kind, {}).items()}
    shown = {name: value for name, value in facts.items() if value != ""}
    return _fields(kind, world.files.store_media(kind, content, name=name, mime_type=type, **shown))


_UNKNOWN_TYPE = "application/octet-stream"


def _fact(given: Any, usual: Any) -> Any:
    if isinstance(usual, str):
        return str(given or usual)
    return int(given) if str(given or "").isdecimal() and not isinstance(usual, bool) else usual


def _sample(kind: str) -> bytes:
    return sample_picture("WEBP" if kind == "sticker" else "JPEG") if kind in {"photo", "sticker"} else b"A sample.\n"


def _check_url(url: str) -> None:
    try:
        normalize_url(url)
    except InvalidUrl as error:
        raise bad_request(f"wrong file identifier/HTTP URL specified: {error}") from None
