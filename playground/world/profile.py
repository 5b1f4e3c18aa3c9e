"""What the bot told of itself: name, descriptions, commands and menu button, by language and scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.world.records import Json

DEFAULT_SCOPE = "default"


@dataclass(slots=True)
class BotProfile:
    """The bot as people see it. Texts and commands are kept per two-letter language, "" for all others."""

    id: int
    username: str
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    commands: dict[tuple[str, str], Sequence[Json]] = field(default_factory=dict)
    menu: Json = field(default_factory=lambda: {"type": "commands"})

    def user(self) -> dict[str, Any]:
        """Tell of the bot as the sender of a message."""
        return {"id": self.id, "is_bot": True, "first_name": self.text("name", ""), "username": self.username}

    def text(self, what: str, language: str) -> str:
        """Return name, description or short description in that language, or for everybody."""
        default = self.username if what == "name" else ""
        return self.texts.get((what, language[:2])) or self.texts.get((what, ""), default) or default

    def commands_for(self, chat: int, language: str, *, private: bool = True) -> Sequence[Json]:
        """Return the commands somebody sees in a chat: the nearest scope wins, then the language."""
        scopes = (f"chat:{chat}", "all_private_chats" if private else "all_group_chats", DEFAULT_SCOPE)
        for scope in scopes:
            for spoken in (language[:2], ""):
                found = self.commands.get((scope, spoken))
                if found:
                    return found
        return ()
