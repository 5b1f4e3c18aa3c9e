"""Methods about the bot, its files and its chats: getMe, getFile, getChat, commands, descriptions, the menu button."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods.chats import chat_of
from playground.world.errors import bad_request
from playground.world.profile import DEFAULT_SCOPE
from playground.world.records import Json
from playground.world.world import World

MAX_DOWNLOAD = 20 * 1024 * 1024
MAX_COMMANDS = 100
MAX_COMMAND_TEXT = 256
_LANGUAGE = re.compile(r"(?:[a-z]{2})?")
_COMMAND = re.compile(r"/?[a-z0-9_]{1,32}")
_SCOPES = frozenset(
    [
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ]
)
_MENUS = frozenset({"default", "commands", "web_app"})
MAX_TEXTS = {"name": 64, "description": 512, "short_description": 120}


async def get_me(world: World, fields: CallFields) -> Json:
    """Return the bot as a user, with its abilities."""
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": True,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
    }
    return world.profile.user() | abilities


async def return_true(world: World, fields: CallFields) -> bool:
    """Do nothing: there is no other server to log out from."""
    return True


async def get_file(world: World, fields: CallFields) -> Json:
    """Return the path from which a file can be downloaded."""
    if not fields.text("file_id"):
        raise bad_request("file_id not specified")
    stored = world.files.get(fields.text("file_id"))
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(stored.content) > MAX_DOWNLOAD:
        raise bad_request("file is too big")
    facts = {"file_id": stored.id, "file_unique_id": stored.unique_id, "file_size": len(stored.content)}
    return facts | {"file_path": stored.path}


async def get_chat(world: World, fields: CallFields) -> Json:
    """Return the full description of a chat."""
    chat = chat_of(world, fields)
    gifts = dict.fromkeys(("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"), False)
    facts = {"accent_color_id": chat.id % 7, "max_reaction_count": 11, "accepted_gift_types": gifts}
    gifts["gifts_from_channels"] = False
    shown = {name: value for name, value in chat.facts.items() if name in {"description", "permissions"}}
    pinned = world.message(chat.id, (world.pinned.get(chat.id) or [0])[-1])
    if pinned is not None:
        shown["pinned_message"] = world.bot_api_message(pinned)
    return world.bot_api_chat(chat.id) | facts | shown


async def set_my_commands(world: World, fields: CallFields) -> bool:
    """Set the commands of a scope and language."""
    given = fields.json("commands", "commands")
    if not isinstance(given, list):
        raise bad_request("expected an Array of BotCommand")
    if len(given) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = [_command(command, fields) for command in given]
    world.profile.commands[_scope(world, fields), _language(fields)] = commands
    world.log.add("profile", None)
    return True


async def get_my_commands(world: World, fields: CallFields) -> list[Json]:
    """Return the commands of exactly this scope and language."""
    return list(world.profile.commands.get((_scope(world, fields), _language(fields)), ()))


async def delete_my_commands(world: World, fields: CallFields) -> bool:
    """Delete the commands of a scope and language."""
    world.profile.commands.pop((_scope(world, fields), _language(fields)), None)
    world.log.add("profile", None)
    return True


def _setter(name: str) -> Callable[[World, CallFields], Coroutine[Any, Any, bool]]:
    async def set_text(world: World, fields: CallFields) -> bool:
        text = fields.text(name).strip()
        if len(text) > MAX_TEXTS[name]:
            raise bad_request(f"bot {name.replace('_', ' ')} is too long")
        world.profile.texts[name, _language(fields)] = text
        world.log.add("profile", None)
        return True

    return set_text


def _getter(name: str) -> Callable[[World, CallFields], Coroutine[Any, Any, Json]]:
    async def get_text(world: World, fields: CallFields) -> Json:
        return {name: world.profile.text(name, _language(fields))}

    return get_text


set_my_name, get_my_name = _setter("name"), _getter("name")
set_my_description, get_my_description = _setter("description"), _getter("description")
set_my_short_description, get_my_short_description = _setter("short_description"), _getter("short_description")


async def set_chat_menu_button(world: World, fields: CallFields) -> bool:
    """Set the menu button next to the input field."""
    given = fields.json("menu_button", "menu button") or {"type": "default"}
    if not isinstance(given, dict) or str(given.get("type")) not in _MENUS:
        raise bad_request("can't parse menu button: MenuButton has unsupported type")
    world.profile.menu = given
    return True


async def get_chat_menu_button(world: World, fields: CallFields) -> Json:
    """Return the menu button."""
    return world.profile.menu


def _language(fields: CallFields) -> str:
    code = fields.text("language_code")
    if not _LANGUAGE.fullmatch(code):
        raise bad_request("invalid language code specified")
    return code


def _command(given: Any, fields: CallFields) -> Json:
    names = ("command", "description")
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        raise bad_request("can't parse BotCommand: expected an Object")
    fields.drop_unknown(given, names, "BotCommand")
    if not _COMMAND.fullmatch(given["command"]):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 0 < len(given["description"].strip()) <= MAX_COMMAND_TEXT:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": given["command"].lstrip("/"), "description": given["description"].strip()}


def _scope(world: World, fields: CallFields) -> str:
    given = fields.json("scope", "BotCommandScope")
    if given is None:
        return DEFAULT_SCOPE
    if not isinstance(given, dict) or str(given.get("type")) not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    kind = str(given["type"])
    if not kind.startswith("chat"):
        return kind
    if "chat_id" not in given:
        raise bad_request("can't parse BotCommandScope: Empty chat_id specified")
    parts = [kind, str(given["chat_id"])] + ([str(given.get("user_id"))] if kind == "chat_member" else [])
    return ":".join(parts)
