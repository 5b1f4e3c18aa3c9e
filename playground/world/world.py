"""The state of one simulated Telegram: people, chats, messages, files, updates and the log of events.

Everything stays in memory: what people write to a bot under test is never written to a disk.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from playground.world import serializers
from playground.world.clock import AdjustableClock, ChangeCondition
from playground.world.event_log import EventLog
from playground.world.files import FileStore
from playground.world.profile import BotProfile
from playground.world.records import Chat, ChatType, InlineAnswers, Json, Message, Person
from playground.world.update_queue import UpdateQueue
from playground.world.webhook import Webhook

# Numbers start from the time, so that a restarted simulator repeats no number that a bot has seen.
_NUMBERS_SINCE = 1_750_000_000
_NUMBERS_PER_SECOND = 10
_ANSWER_TIMEOUT = 15.0  # seconds
TYPING_SHOWN = 5.0  # seconds: https://core.telegram.org/bots/api#sendchataction
_CALLS_KEPT = 20_000


class QueryPurpose(StrEnum):
    """What a query asks for."""

    PRESS = "press"
    INLINE = "inline"
    SHIPPING = "shipping"
    CHECKOUT = "checkout"


@dataclass(frozen=True, slots=True)
class PendingQuery:
    """An unanswered query: a button press, an inline query with its text, or one of a payment with its invoice."""

    id: str
    user: int
    chat: int
    created_at: float
    text: str = ""
    purpose: QueryPurpose = QueryPurpose.PRESS
    invoice: Message | None = None


@dataclass(slots=True)
class ApiCall:
    """A call of the bot, and the HTTP status of the answer. None: not answered yet, or the connection was cut.

    The fields and the answer are kept where `Traffic.keeps_answers` is set.
    """

    at: float
    method: str
    chat: str
    status: int | None = None
    fields: Json = field(default_factory=dict)
    answer: Json | None = None


@dataclass(slots=True)
class Traffic:
    """The calls of the bot: those in progress, and the recent ones."""

    calls_in_progress: int = 0
    recent_calls: deque[ApiCall] = field(default_factory=lambda: deque(maxlen=_CALLS_KEPT))
    keeps_answers: bool = False
    misdirected_call: str | None = None  # describes the last call to an unknown address or with a wrong token


class World:
    """The state of one simulated Telegram. Every change of it is logged and wakes the waiters on `changes`."""

    def __init__(
        self,
        *,
        token: str,
        username: str = "demo_bot",
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.rng = rng or random.SystemRandom()
        self.changes = ChangeCondition()
        self.clock = AdjustableClock(clock, self.changes)
        first = int((self.clock() - _NUMBERS_SINCE) * _NUMBERS_PER_SECOND)
        self.updates = UpdateQueue(first_id=first, changes=self.changes, clock=self.clock)
        self.webhook = Webhook(self.updates, self.changes, self.clock)
        self.log = EventLog(self.changes, self.clock)
        self.files = FileStore()
        self.profile = BotProfile(id=_bot_id(token), username=username)
        self.traffic = Traffic()
        self.inline_answers = InlineAnswers()
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.topics: dict[tuple[int, int], dict[str, Any]] = {}  # of forums, by chat and thread
        self.typing_until: dict[int, float] = {}  # by chat; a message, or five seconds, end it
        self.pinned: dict[int, list[int]] = {}  # the ids of pinned messages by chat, the newest last
        self.run_id = f"{self.rng.randrange(16**12):012x}"  # lets the page notice a restart
        self.closed = False
        self._messages: dict[int, dict[int, Message]] = {}
        self._deleted: set[tuple[int, int]] = set()
        self._queries: dict[str, PendingQuery] = {}
        self._next_message = first
        self._service_messages: set[tuple[int, int]] = set()

    # people and chats

    def add_person(
        self, first_name: str, *, language_code: str = "zh-hans", username: str | None = None, id: int | None = None
    ) -> Person:
        """Add a person and their private chat. Without an `id`, the person gets a random one."""
        id = id or self._fresh_id(range(200_000_000, 7_900_000_000))
        person = self.people[id] = Person(id, first_name, language_code, username)
        self.chats[id] = Chat(id, ChatType.PRIVATE)
        self.log.add("person", None, user=serializers.sim_person(person))
        return person

    def change_person(self, id: int, **facts: Any) -> Person:
        """Change fields of a person."""
        person = self.people[id] = replace(self.people[id], **facts)
        self.log.add("person", None, user=serializers.sim_person(person))
        return person

    def add_chat(self, type: ChatType, title: str, members: tuple[int, ...], **facts: Any) -> Chat:
        """Create a group or channel."""
        id = -self._fresh_id(range(1_000_000_000, 3_900_000_000))
        if type is not ChatType.GROUP:
            id -= 1_000_000_000_000
        if type is ChatType.CHANNEL:
            facts["bot_admin"] = True  # a bot has no other role there
        chat = self.chats[id] = Chat(id, type, title, members, **facts)
        self.log.add("group", None, group={**self.bot_api_chat(id), "members": list(members)})
        return chat

    def change_chat(self, id: int, **facts: Any) -> Chat:
        """Change fields of a chat."""
        changed = self.chats[id] = replace(self.chats[id], **facts)
        return changed

    # messages

    def messages(self, chat: int) -> list[Message]:
        """Return the current messages of a chat, oldest first."""
        return list(self._messages.get(chat, {}).values())

    def message(self, chat: int, id: int) -> Message | None:
        """Return one message, or None when it does not exist (any more)."""
        return self._messages.get(chat, {}).get(id)

    def inline_message(self, id: str) -> Message | None:
        """Return the message that a person sent via the bot, by its inline_message_id."""
        messages = (message for chat in self._messages.values() for message in chat.values())
        return next((message for message in messages if message.inline_id == id), None)

    def was_deleted(self, chat: int, id: int) -> bool:
        """Whether this message existed and was deleted."""
        return (chat, id) in self._deleted

    def is_service_message(self, chat: int, id: int) -> bool:
        """Whether this id is of a service message, which bots may reply to."""
        return (chat, id) in self._service_messages

    def add_message(self, chat: int, sender: int, **facts: Any) -> Message:
        """Add a message to a chat."""
        self._next_message += 1
        message = Message(self._next_message, chat, sender, int(self.clock()), **facts)
        if sender == self.profile.id:
            self.typing_until.pop(chat, None)
        self._messages.setdefault(chat, {})[message.id] = message
        self.log.add("message", chat, **self._message_event(message))
        return message

    def edit_message(self, old: Message, **facts: Any) -> Message:
        """Replace a message by its edited form."""
        new = replace(old, **facts)
        self._messages[old.chat][old.id] = new
        self.typing_until.pop(old.chat, None)
        self.log.add("edit", old.chat, **self._message_event(new), was=self.sim_message(old))
        return new

    def change_message(self, old: Message, **facts: Any) -> Message:
        """Change what others did with a message: votes, reactions. That is no edit."""
        new = self._messages[old.chat][old.id] = replace(old, **facts)
        return new

    def delete_message(self, message: Message) -> None:
        """Delete a message from its chat."""
        del self._messages[message.chat][message.id]
        self._deleted.add((message.chat, message.id))
        self.log.add("delete", message.chat, message_id=message.id, was=self.sim_message(message))

    def show_typing(self, chat: int, kind: str, **facts: Any) -> None:
        """Show that the bot is at work: "typing…" for five seconds, or a text that it still writes."""
        self.typing_until[chat] = self.clock() + TYPING_SHOWN
        self.log.add(kind, chat, **facts)

    # queries

    def add_query(self, user: int, chat: int, purpose: QueryPurpose = QueryPurpose.PRESS, **facts: Any) -> PendingQuery:
        """Add a query that the bot is to answer."""
        id = str(self.rng.randrange(10**17, 10**19))
        query = self._queries[id] = PendingQuery(id, user, chat, self.clock(), purpose=purpose, **facts)
        return query

    def take_query(self, id: str, purpose: QueryPurpose = QueryPurpose.PRESS) -> PendingQuery | None:
        """Remove and return a query. None when there is no such query, or when it is too old to answer."""
        query = self._queries.get(id)
        if query is None or query.purpose is not purpose:
            return None
        del self._queries[id]
        return query if self.clock() - query.created_at <= _ANSWER_TIMEOUT else None

    # serialized forms

    def sim_message(self, message: Message) -> dict[str, Any]:
        """Return a message as the page and scripts see it."""
        return serializers.sim_message(message, bot_id=self.profile.id)

    def bot_api_chat(self, chat: int) -> dict[str, Any]:
        """Return a chat in the Bot API's form."""
        return serializers.bot_api_chat(self.chats[chat], self.people.get(chat))

    def bot_api_service_message(self, chat: int, user: int) -> dict[str, Any]:
        """Return a service message (a new member, for example) in the Bot API's form. It is not stored in the chat."""
        self._next_message += 1
        self._service_messages.add((chat, self._next_message))
        origin = {"message_id": self._next_message, "from": serializers.bot_api_person(self.people[user])}
        return origin | {"chat": self.bot_api_chat(chat), "date": int(self.clock())}

    def bot_api_message(self, message: Message, *, with_reply: bool = True) -> dict[str, Any]:
        """Return a message in the Bot API's form."""
        shown: dict[str, Any] = {"message_id": message.id}
        if self.chats[message.chat].type is ChatType.CHANNEL:
            shown["sender_chat"] = self.bot_api_chat(message.chat)
        else:
            shown["from"] = self._bot_api_sender(message.sender)
        shown |= {"chat": self.bot_api_chat(message.chat), "date": message.date}
        if message.forwarded:
            unknown = {"type": "hidden_user", "sender_user_name": "王小明", "date": message.date - 60}
            shown["forward_origin"] = message.origin or unknown
        if message.thread:
            shown |= {"message_thread_id": message.thread, "is_topic_message": True}
        if message.via:
            shown["via_bot"] = self.profile.user()
        replied_to = self.message(message.chat, message.reply_to) if message.reply_to and with_reply else None
        if replied_to is not None:
            shown["reply_to_message"] = self.bot_api_message(replied_to, with_reply=False)
        return shown | serializers.bot_api_content(message)

    # idle

    @property
    def idle(self) -> bool:
        """Whether the bot has confirmed every update, has no call in progress, shows no "typing…", and waits."""
        ready = self.updates.has_waiting_poll or self.updates.webhook_active
        typing = any(until > self.clock() for until in self.typing_until.values())
        return ready and not typing and self.traffic.calls_in_progress == 0 and not self.updates.pending()

    def close(self) -> None:
        """End all waiting."""
        self.closed = self.updates.closed = True
        self.changes.notify_all()

    def next_message_id(self) -> int:
        """Take the next id, for what is numbered among the messages."""
        self._next_message += 1
        return self._next_message

    def _message_event(self, message: Message) -> Json:
        shown = self.sim_message(message)
        return {"from": shown["from"], "user": shown["user"], "message": shown}

    def _bot_api_sender(self, sender: int) -> dict[str, Any]:
        return self.profile.user() if sender == self.profile.id else serializers.bot_api_person(self.people[sender])

    def _fresh_id(self, numbers: range) -> int:
        while (id := self.rng.choice(numbers)) in self.chats:
            pass
        return id


def _bot_id(token: str) -> int:
    head = token.partition(":")[0]
    return int(head) if head.isdigit() else 7_000_000_001
