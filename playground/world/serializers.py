"""How records look as JSON: in the Bot API's form for the bot, in a shorter form (`sim_…`) for the page and scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.world.records import Chat, ChatType, InlineButton, Json, Message, Person, ReplyMarkup

_VALUE_FIELDS = {"data": "data", "url": "url", "copy": "copy", "inline": "query", "web_app": "url", "login_url": "url"}


def bot_api_person(person: Person) -> dict[str, Any]:
    """Return a person as a User of the Bot API."""
    user: dict[str, Any] = {"id": person.id, "is_bot": False, "first_name": person.first_name}
    if person.last_name:
        user["last_name"] = person.last_name
    if person.username:
        user["username"] = person.username
    if person.language_code:
        user["language_code"] = person.language_code
    return user


def sim_person(person: Person) -> dict[str, Any]:
    """Return a person as the page and scripts see them."""
    more = {"username": person.username, "phone_number": person.phone_number, "blocked": person.blocked}
    return bot_api_person(person) | more


def bot_api_chat(chat: Chat, owner: Person | None) -> dict[str, Any]:
    """Return a chat as a Chat of the Bot API; `owner` is the person of a private chat."""
    if chat.type is ChatType.PRIVATE and owner is not None:
        fields = {"id": chat.id, "type": "private", "first_name": owner.first_name}
        names = {"last_name": owner.last_name, "username": owner.username}
        return fields | {name: value for name, value in names.items() if value}
    fields = {"id": chat.id, "type": chat.type.value, "title": chat.title}
    fields |= {"is_forum": True} if chat.forum else {}
    return fields | ({"all_members_are_administrators": True} if chat.type is ChatType.GROUP else {})


def bot_api_content(message: Message) -> dict[str, Any]:
    """Return the content of a message for the Bot API: text or media with a caption, entities, keyboard."""
    shown: dict[str, Any] = dict(message.media)
    field = "text" if message.kind == "text" else "caption"
    if message.text:
        shown[field] = message.text
    if message.entities:
        shown["entities" if field == "text" else "caption_entities"] = list(message.entities)
    if message.markup is not None and message.markup.inline:
        shown["reply_markup"] = message.markup.json
    for name, fact in (
        ("has_protected_content", message.protect),
        ("has_media_spoiler", message.spoiler),
        ("show_caption_above_media", message.caption_above),
    ):
        if fact:
            shown[name] = True
    if message.edited is not None:
        shown["edit_date"] = message.edited
    if message.album is not None:
        shown["media_group_id"] = message.album
    return shown


def sim_message(message: Message, *, bot_id: int) -> dict[str, Any]:
    """Return a message as the page and scripts see it."""
    text = message.kind == "text"
    markup = message.markup
    shown = {
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
        "choices": [[_button(button) for button in row] for row in message_choices(message)],
        "title": media_title(message.media),
        "reactions": {str(who): list(emoji) for who, emoji in message.reactions.items()},
        "keys": [list(row) for row in markup.keys] if markup else [],
        "key_actions": _key_actions(markup) if markup and markup.keys else [],
        "edited": message.edited is not None,
        "forwarded": message.forwarded,
        "reply_to": message.reply_to,
        "protect": message.protect,
        "spoiler": message.spoiler,
        "caption_above": message.caption_above,
        "via": message.via,
    }
    if markup is not None:
        shown["markup"] = markup.kind
        shown["forces_reply"] = markup.forces_reply
    if markup is not None and markup.placeholder:
        shown["placeholder"] = markup.placeholder
    if message.kind != "photo" and message.kind != "document":
        shown |= message.media
    return shown


def _key_actions(markup: ReplyMarkup) -> list[list[Json]]:
    """Return what each key of a reply keyboard does: it writes its label, unless it asks for something else."""
    return [[_key_action(key) for key in row] for row in markup.json["keyboard"] if row]


def _key_action(key: Any) -> Json:
    given = key if isinstance(key, dict) else {}
    if isinstance(page := given.get("web_app"), dict):
        return {"kind": "web_app", "url": str(page.get("url", ""))}
    asked = ("contact", "location", "poll", "users", "chat", "managed_bot")
    return {"kind": next((name for name in asked if given.get(f"request_{name}")), "text")}


def media_title(media: Json) -> str:
    """Return what a person reads in a bubble without a text: the question of a poll, for example."""
    return next((title(media[name]) for name, title in _TITLES.items() if name in media), "")


_TITLES: dict[str, Callable[[Json], str]] = {
    "poll": lambda poll: str(poll["question"]),
    "dice": lambda dice: f"{dice['emoji']} {dice['value']}",
    "contact": lambda contact: _joined(contact, "first_name", "last_name", "phone_number"),
    "venue": lambda venue: _joined(venue, "title", "address", by=", "),
    "location": lambda place: _joined(place, "latitude", "longitude", by=", "),
    "checklist": lambda checklist: str(checklist["title"]),
    "invoice": lambda invoice: _joined(invoice, "title", "description", by=": "),
    "game": lambda game: str(game["title"]),
    "sticker": lambda sticker: str(sticker.get("emoji", "")),
}


def _joined(given: Json, *names: str, by: str = " ") -> str:
    return by.join(str(given[name]) for name in names if given.get(name) not in (None, ""))


def message_choices(message: Message) -> tuple[tuple[InlineButton, ...], ...]:
    """Return what a person can tap on in a message besides buttons, one in a row: options, tasks, the payment."""
    if (poll := message.media.get("poll")) and not poll["is_closed"]:
        return tuple((InlineButton(option["text"], "option"),) for option in poll["options"])
    if checklist := message.media.get("checklist"):
        return tuple((InlineButton(task["text"], "task"),) for task in checklist["tasks"])
    if (invoice := message.media.get("invoice")) and not (message.markup and message.markup.buttons):
        return ((InlineButton(f"Pay {_amount(invoice)}", "pay"),),)
    return ()


def _amount(invoice: Json) -> str:
    if invoice["currency"] == "XTR":
        return f"{invoice['total_amount']} ⭐"
    return f"{invoice['total_amount'] / 100:.2f} {invoice['currency']}"


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
    shown: dict[str, Any] = {"label": button.label, "kind": button.kind}
    value_field = _VALUE_FIELDS.get(button.kind)
    if value_field is not None:
        shown[value_field] = button.value
    if button.style is not None:
        shown["style"] = button.style
    return shown
