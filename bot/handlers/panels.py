"""The panel: the one message that carries the live keyboard, and what the store knows of it."""

from enum import StrEnum

import msgspec

from verification.record import Record


class PanelKind(StrEnum):
    """What kind of message the panel is, and so how it can be changed.

    `TYPED` is a question with a forced reply, which an earlier release asked; Telegram allows no edit of it.
    `DELETED` is no message any more: it was deleted with the answer to it, and only its record goes on.
    """

    TEXT = "text"
    TYPED = "typed"
    PHOTO = "photo"
    DELETED = "deleted"


class Panel(Record, omit_defaults=True, rename={"kind": "form", "is_last": "last"}):
    """The one message that carries the live keyboard.

    `record` stands above the question in it: what the person agreed to. It goes along with the panel while the
    questions that rest on it go on. `is_last`: the bot has sent nothing below it. `shows_name`: it shows the person's
    name in clear, so nothing of it may stay when the question is closed.
    """

    id: int
    kind: PanelKind
    record: str = ""
    is_last: bool = True
    shows_name: bool = False

    def dump(self) -> str:
        """The panel as text."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def load(text: str) -> "Panel | None":
        """The panel in a text, if any."""
        return msgspec.json.decode(text, type=Panel) if text else None
