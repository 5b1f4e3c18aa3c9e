"""How the records look on the wire: to the bot as the Bot API tells them, to the page and scripts in short."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse

from playground.world.records import Chat, ChatType, InlineButton, Json, Message, Person

_ACTION = {"data": "data", "url": "url", "copy": "copy", "inline": "query", "web_app": "url", "login_url": "url"}


def bot_api_person(someone: Person) -> dict[str, Any]:
    """Tell of a person as the Bot API does."""
    told: dict[str, Any] = {"id": someone.id, "is_bot": False, "first_name": someone.first_name}
    if someone.username:
        told["username"] = someone.username
    if someone.language_code:
        told["language_code"] = someone.language_code
    return told


def sim_person(someone: Person) -> dict[str, Any]:
    """Tell of a person as the page and the script player see him."""
    return bot_api_person(someone) | {"username": someone.username, "blocked": someone.blocked}


def bot_api_chat(where: Chat, owner: Person | None) -> dict[str, Any]:
    """Tell of a chat as the Bot API does."""
    if where.type is ChatType.PRIVATE and owner is not None:
        told = {"id": where.id, "type": "private", "first_name": owner.first_name}
        return told | ({"username": owner.username} if owner.username else {})
    told = {"id": where.id, "type": where.type.value, "title": where.title}
    return told | ({"all_members_are_administrators": True} if where.type is ChatType.GROUP else {})


def bot_api_content(message: Message) -> dict[str, Any]:
    """Tell of what a message holds: text or media with a caption, entities, keyboard."""
    told: dict[str, Any] = dict(message.media)
    word = "text" if message.kind == "text" else "caption"
    if message.text:
        told[word] = message.text
    if message.entities:
        told["entities" if word == "text" else "caption_entities"] = list(message.entities)
    if message.markup is not None and message.markup.inline:
        told["reply_markup"] = message.markup.json
    for name, fact in (
        ("has_protected_content", message.protect),
        ("has_media_spoiler", message.spoiler),
        ("show_caption_above_media", message.caption_above),
    ):
        if fact:
            told[name] = True
    if message.edited is not None:
        told["edit_date"] = message.edited
    return told


def sim_message(message: Message, *, bot_id: int) -> dict[str, Any]:
    """Tell of a message as the page and the script player see it."""
    text = message.kind == "text"
    markup = message.markup
    told = {
        "id": message.id,
        "date": message.date,
        "from": "bot" if message.sender == bot_id else "user",
        "user": None if message.sender == bot_id else message.sender,
        "kind": message.kind,
        "text": message.text if text else "",
        "caption": "" if text else message.text,
        "entities": list(message.entities),
        "photo": _photo(message.media),
        "document": _document(message.media),
        "buttons": [[_button(button) for button in row] for row in markup.buttons] if markup else [],
        "keys": [list(row) for row in markup.keys] if markup else [],
        "edited": message.edited is not None,
        "forwarded": message.forwarded,
        "reply_to": message.reply_to,
        "protect": message.protect,
        "spoiler": message.spoiler,
        "caption_above": message.caption_above,
        "via": message.via,
    }
    if markup is not None:
        told["markup"] = markup.kind
    if markup is not None and markup.placeholder:
        told["placeholder"] = markup.placeholder
    for name in ("contact", "location", "sticker", "poll", "voice", "video_note"):
        if name in message.media:
            told[name] = message.media[name]
    return told


def _photo(media: Json) -> dict[str, Any] | None:
    if "photo" not in media:
        return None
    largest = media["photo"][-1]
    return {name: largest[name] for name in ("file_id", "width", "height")}


def _document(media: Json) -> dict[str, Any] | None:
    if "document" not in media:
        return None
    return {name: media["document"].get(name) for name in ("file_id", "file_name", "file_size")}


def _button(button: InlineButton) -> dict[str, Any]:
    told: dict[str, Any] = {"label": button.label, "kind": button.kind}
    field = _ACTION.get(button.kind)
    if field is not None:
        told[field] = button.value
    if button.style is not None:
        told["style"] = button.style
    return told


def ascii_json(told: Any) -> str:
    """Return it as JSON text on one line."""
    return json.dumps(told, separators=(",", ":"))


class AsciiJsonResponse(JSONResponse):
    """An answer in JSON."""

    def render(self, content: Any) -> bytes:
        return ascii_json(content).encode("ascii")
