"""Validates reply_markup as the public server does, and returns it as a record.

https://core.telegram.org/bots/api#inlinekeyboardbutton
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.formatting.urls import InvalidUrl, normalize_url
from playground.world.errors import bad_request
from playground.world.records import InlineButton, ReplyMarkup

MAX_DATA = 64  # bytes
MAX_COPY_TEXT = 256
MAX_PLACEHOLDER = 64
MAX_BUTTONS = 100
MAX_ROW = 8
STYLES = frozenset({"primary", "success", "danger"})

SPECIAL = ("callback_game", "pay")

_NONE: frozenset[str] = frozenset()
_INLINE_FIELDS = frozenset({"inline_keyboard", "force_reply"})
_REPLY_FIELDS = frozenset(
    [
        "keyboard",
        "is_persistent",
        "resize_keyboard",
        "one_time_keyboard",
        "input_field_placeholder",
        "selective",
        "force_reply",
    ]
)
_REMOVE_FIELDS = frozenset({"remove_keyboard", "selective"})
_FORCE_FIELDS = frozenset({"force_reply", "input_field_placeholder", "selective"})
_BUTTON_FIELDS = frozenset(
    [
        "text",
        "icon_custom_emoji_id",
        "style",
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    ]
)
_KEY_FIELDS = frozenset(
    [
        "text",
        "icon_custom_emoji_id",
        "style",
        "request_users",
        "request_chat",
        "request_managed_bot",
        "request_contact",
        "request_location",
        "request_poll",
        "web_app",
    ]
)
_MARKUPS = {
    "inline_keyboard": ("InlineKeyboardMarkup", _INLINE_FIELDS, "InlineKeyboardButton", _BUTTON_FIELDS),
    "keyboard": ("ReplyKeyboardMarkup", _REPLY_FIELDS, "KeyboardButton", _KEY_FIELDS),
    "remove_keyboard": ("ReplyKeyboardRemove", _REMOVE_FIELDS, "", _NONE),
    "force_reply": ("ForceReply", _FORCE_FIELDS, "", _NONE),
}
_NO_MARKUP = ("reply_markup", _NONE, "", _NONE)
_HTTPS_ONLY = {"web_app": "Web App ", "login_url": "login "}


def reply_markup(fields: CallFields, *, only_inline: bool = False, special: str = "") -> ReplyMarkup | None:
    """Return the validated reply_markup of a call, None when there is none. Raises `ApiError`.

    `special` is the kind of the button that invoices (`pay`) and games (`callback_game`) begin with.
    """
    given = fields.json("reply_markup", "reply keyboard markup")
    if only_inline or special:
        return inline_markup(fields, given, special=special)
    return _without_special(_markup(fields, given), special)


def inline_markup(fields: CallFields, given: Any, *, special: str = "") -> ReplyMarkup | None:
    """Return a validated inline keyboard, None when there is none. Raises `ApiError` for any other markup."""
    markup = _markup(fields, given)
    if markup is not None and not markup.inline:
        raise bad_request("inline keyboard expected")
    return _without_special(markup, special)


def _without_special(markup: ReplyMarkup | None, allowed: str) -> ReplyMarkup | None:
    buttons = [button for row in (markup.buttons if markup else ()) for button in row]
    # The special button must be the first one, and only its own kind of message can have it.
    if any(button.kind in SPECIAL and (button.kind != allowed or at) for at, button in enumerate(buttons)):
        raise bad_request("BUTTON_TYPE_INVALID")
    if allowed and buttons and buttons[0].kind != allowed:
        raise bad_request("BUTTON_TYPE_INVALID")
    return markup


def _markup(fields: CallFields, given: Any) -> ReplyMarkup | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise bad_request("object expected as reply markup")
    return _parse_markup(_drop_unknown_fields(given, fields))


def keep_forced_reply(new: ReplyMarkup | None, old: ReplyMarkup | None) -> ReplyMarkup | None:
    """Return an edited inline keyboard as Telegram keeps it: an edit cannot change its `force_reply`."""
    if new is None:
        return None
    forced = {"force_reply": True} if old is not None and old.forces_reply else {}
    return replace(new, json={"inline_keyboard": new.json["inline_keyboard"], **forced})


def _parse_markup(given: dict[str, Any]) -> ReplyMarkup | None:
    if "inline_keyboard" in given:
        return _inline(given)
    if "keyboard" in given:
        return _reply(given)
    if given.get("remove_keyboard"):
        return ReplyMarkup("remove", given)
    if given.get("force_reply"):
        return ReplyMarkup("force", given, placeholder=_placeholder(given))
    return None


def _drop_unknown_fields(given: dict[str, Any], fields: CallFields) -> dict[str, Any]:
    kind = next((kind for kind in _MARKUPS if given.get(kind) not in (None, False)), "")
    markup_name, names, button, button_names = _MARKUPS.get(kind, _NO_MARKUP)

    def known(inside: Any) -> Any:
        if isinstance(inside, list):
            return [known(item) for item in inside]
        return fields.drop_unknown(inside, button_names, button) if isinstance(inside, dict) else inside

    known_fields = fields.drop_unknown(given, names, markup_name)
    return known_fields | {kind: known(known_fields[kind])} if button else known_fields


def _inline(given: dict[str, Any]) -> ReplyMarkup | None:
    rows = given["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    _check_size(rows)
    buttons = tuple(tuple(_inline_button(button) for button in row) for row in rows if row)
    json: dict[str, Any] = {"inline_keyboard": [row for row in rows if row]}
    if given.get("force_reply"):
        json["force_reply"] = True
    return ReplyMarkup("inline", json, buttons=buttons) if buttons else None


def _check_size(rows: list[list[Any]]) -> None:
    if sum(map(len, rows)) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        # The public server drops surplus buttons silently. That is never what a bot wants, so it is an error here.
        raise bad_request(f"reply markup is too long (at most {MAX_ROW} buttons in a row, {MAX_BUTTONS} in all)")


def _inline_button(given: Any) -> InlineButton:
    if not isinstance(given, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    label = _label(given, "inline keyboard button")
    kind, value = _action(given)
    return InlineButton(label, kind, value, _style(given))


def _label(given: Mapping[str, Any], description: str) -> str:
    label = given.get("text")
    if not isinstance(label, str):
        raise bad_request(f"can't parse {description}: Can't find field \"text\"")
    if not label.strip():
        raise bad_request(f"{description} text must be non-empty")
    return label


def _style(given: Mapping[str, Any]) -> str | None:
    style = given.get("style") or None
    if style is not None and str(style) not in STYLES:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    return style


def _action(given: dict[str, Any]) -> tuple[str, str]:
    if given.get("url"):
        return "url", _url(given["url"], "")
    if given.get("callback_data"):
        return "data", _data(given["callback_data"])
    for name in ("web_app", "login_url"):
        if name in given:
            return name, _url(_inner(given, name, "url"), _HTTPS_ONLY[name])
    if "copy_text" in given:
        return "copy", _copy_text(_inner(given, "copy_text", "text"))
    for name in SPECIAL:
        if name in given:
            return name, ""
    for name in given:
        if name.startswith("switch_inline_query"):
            return "inline", _query(given[name])
    raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")


def _query(given: Any) -> str:
    query = given.get("query", "") if isinstance(given, dict) else given
    if not isinstance(query, str):
        raise bad_request("can't parse inline keyboard button: the inline query must be of type String")
    return query


def _inner(given: Mapping[str, Any], name: str, field: str) -> str:
    inner = given[name]
    if not isinstance(inner, dict) or not isinstance(inner.get(field), str):
        raise bad_request(f"can't parse inline keyboard button: Can't find field \"{field}\"")
    return str(inner[field])


def _data(data: Any) -> str:
    if not isinstance(data, str):
        raise bad_request('can\'t parse inline keyboard button: Field "callback_data" must be of type String')
    if len(data.encode()) > MAX_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    return data


def _url(url: Any, kind: str) -> str:
    if not isinstance(url, str):
        raise bad_request('can\'t parse inline keyboard button: Field "url" must be of type String')
    try:
        return normalize_url(url, https_only=bool(kind))
    except InvalidUrl as error:
        raise bad_request(f"inline keyboard button {kind}URL '{url}' is invalid: {error}") from None


def _copy_text(text: str) -> str:
    if not 0 < len(text) <= MAX_COPY_TEXT:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    return text


def _reply(given: dict[str, Any]) -> ReplyMarkup | None:
    rows = given["keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "keyboard" must be an Array of Arrays')
    keys = tuple(tuple(_key(key) for key in row) for row in rows if row)
    return ReplyMarkup("reply", given, keys=keys, placeholder=_placeholder(given)) if keys else None


def _key(given: Any) -> str:
    if isinstance(given, str):
        given = {"text": given}
    if not isinstance(given, dict):
        raise bad_request("can't parse keyboard button: KeyboardButton must be a String or an Object")
    _style(given)
    return _label(given, "keyboard button")


def _placeholder(given: Mapping[str, Any]) -> str | None:
    placeholder = given.get("input_field_placeholder") or None
    if placeholder is not None and not (isinstance(placeholder, str) and len(placeholder) <= MAX_PLACEHOLDER):
        raise bad_request("input field placeholder must be a String of 1-64 characters")
    return placeholder
