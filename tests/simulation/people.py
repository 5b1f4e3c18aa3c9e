"""The users of a story: what they see in their chats, and what they do there and on their phones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from playground.world import membership, user_actions
from playground.world.records import ChatType, InlineButton, Json, Message
from playground.world.world import World

NAMES = ("王小明", "李雷", "韩梅梅", "阿依古丽·买买提")
NUMBERS = ("11010519491231002X", "440524188001010014", "360426199101010071")
_ASKS_FOR_NUMBER = re.compile("🪪|18 位|18-character")
_ASKS_FOR_NAME = re.compile("✍️|请输入.{,7}姓名|type the .{,4}name")
_PICTURE = [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]
_FILE: Json = {"file_id": "f", "file_unique_id": "f"}
THINGS: dict[str, object] = {
    "photo": _PICTURE,
    "document": _FILE,
    "voice": {**_FILE, "duration": 3},
    "sticker": {**_FILE, "width": 9, "height": 9, "type": "regular", "is_animated": False, "is_video": False},
    "contact": {"phone_number": "+8613800138000", "first_name": "李雷"},
    "location": {"latitude": 39.9, "longitude": 116.4},
}


@dataclass
class SimulatedUser:
    """A user with a chat and a phone; `at_vendor` is the address of the vendor's page that it shows."""

    world: World
    id: int
    name: str
    number: str
    link: str = ""
    at_vendor: str = ""
    seen: list[tuple[int, str]] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    times_blocked: int = 0
    has_deleted: bool = False

    @property
    def person(self) -> str:
        """The key of their dialogue."""
        return f"telegram:{self.id}"

    @property
    def blocked(self) -> bool:
        """Whether the bot may not write to them."""
        return self.world.people[self.id].blocked

    def look(self) -> None:
        """Remember what the chat shows: buttons to press later, and the link of a code."""
        for message in self.bot_messages():
            for button in buttons(message):
                if button.kind == "data" and (message.id, button.value) not in self.seen:
                    self.seen.append((message.id, button.value))
                if button.kind == "copy":
                    self.link = button.value

    def bot_messages(self) -> list[Message]:
        """The bot's messages that the chat still shows, oldest first."""
        mine = self.world.messages(self.id)
        return [message for message in mine if message.sender == self.world.profile.id]

    def waiting_messages(self) -> list[Message]:
        """The messages that wait for an answer."""
        return [message for message in self.bot_messages() if is_waiting(message)]

    def says(self, text: str, *, forwarded: bool = False) -> None:
        """Write a text."""
        self._written(
            user_actions.write_text(self.world, self.world.chats[self.id], self.id, text, forwarded=forwarded)
        )

    def sends(self, kind: str) -> None:
        """Send something that is no text."""
        chat = self.world.chats[self.id]
        self._written(user_actions.send_message(self.world, chat, self.id, kind=kind, media={kind: THINGS[kind]}))

    def presses(self, message: int, data: str) -> None:
        """Press a button, whether it is there or not."""
        user_actions.press_button(self.world, self.world.chats[self.id], self.id, message, data)

    def edits(self, text: str) -> None:
        """Change the last text of their own that is still there."""
        for id in reversed(self.written):
            message = self.world.message(self.id, id)
            if message is not None and message.kind == "text":
                user_actions.edit_message(self.world, self.world.chats[self.id], self.id, message, text)
                return

    def blocks(self) -> None:
        """Block the bot."""
        self.times_blocked += 1
        membership.set_blocked(self.world, self.id, blocked=True)

    def returns(self) -> None:
        """Unblock the bot if it is blocked; clients send /start with it."""
        if self.blocked:
            membership.set_blocked(self.world, self.id, blocked=False)
            self.says("/start")

    def deletes(self, message: Message) -> None:
        """Delete a message from the chat; Telegram does not report it to the bot."""
        self.has_deleted = True
        self.world.delete_message(message)

    def wanted(self) -> str | None:
        """The text that the newest question asks for, if it asks for one."""
        for message in reversed(self.bot_messages()):
            if is_waiting(message):
                if _ASKS_FOR_NUMBER.search(message.text):
                    return self.number
                return self.name if _ASKS_FOR_NAME.search(message.text) else None
        return None

    def _written(self, message: Message) -> None:
        self.written.append(message.id)


def buttons(message: Message) -> Sequence[InlineButton]:
    """The buttons of a message."""
    return [button for row in message.markup.buttons for button in row] if message.markup is not None else []


def is_waiting(message: Message) -> bool:
    """Whether a message waits for an answer: with buttons of a question."""
    return any(button.kind == "data" and button.value.startswith("q:") for button in buttons(message))


def newcomer(world: World, name: str, number: str, language: str) -> SimulatedUser:
    """A user who has not written to the bot yet."""
    return SimulatedUser(world, world.add_person("客人", language_code=language).id, name, number)


def group_with(world: World, guest: SimulatedUser) -> None:
    """Put the bot into a group, and write there."""
    chat = world.add_chat(ChatType.GROUP, "群", (guest.id,))
    membership.add_bot(world, chat, guest.id)
    user_actions.write_text(world, chat, guest.id, f"/start@{world.profile.username}")
