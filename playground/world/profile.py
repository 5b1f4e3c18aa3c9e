"""The bot's profile: name, descriptions, commands and menu button, by language and scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.world.records import Json

DEFAULT_SCOPE = "default"


@dataclass(slots=True)
class BotProfile:
    """The bot as people see it. Texts and commands are stored per two-letter language; "" stands for all others."""

    id: int
    username: str
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    commands: dict[tuple[str, str], Sequence[Json]] = field(default_factory=dict)
    menu: Json = field(default_factory=lambda: {"type": "commands"})

    def user(self) -> dict[str, Any]:
        """Return the bot as the sender of a message, in the Bot API's form."""
        return {"id": self.id, "is_bot": True, "first_name": self.text("name", ""), "username": self.username}

    def text(self, name: str, language: str) -> str:
        """Return the name, description or short description in that language, or the one for all languages."""
        default = self.username if name == "name" else ""
        return self.texts.get((name, language[:2])) or self.texts.get((name, ""), default) or default

    def commands_for(self, chat: int, language: str, *, private: bool = True) -> Sequence[Json]:
        """Return the commands that a person sees in a chat: the narrowest scope first, then the language.

        https://core.telegram.org/bots/api#determining-list-of-commands
        """
        scopes = (f"chat:{chat}", "all_private_chats" if private else "all_group_chats", DEFAULT_SCOPE)
        for scope in scopes:
            for code in (language[:2], ""):
                found = self.commands.get((scope, code))
                if found:
                    return found
        return ()
