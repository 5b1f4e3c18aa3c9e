"""A Bot API server without a world behind it: it keeps the messages of its chats, and tells who waits for one.

The simulator of `playground` does what Telegram does, and costs more than the bots that are measured here. This server
knows what a conversation needs, and answers `true` to every other method. It checks what would break a chat unseen: an
edited or deleted message must exist, an edit must change something, a photo must be an image.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.http_protocol import Connection, Parameters, Request

TOKEN = "7000000002:stand-in-token-of-the-benchmark"  # noqa: S105 - it is valid only for this server
_BOT = {"id": int(TOKEN.partition(":")[0]), "is_bot": True, "first_name": "Bench", "username": "bench_bot"}
_FIXED_ANSWERS: Mapping[str, object] = {
    "getMe": _BOT | {"can_join_groups": True, "can_read_all_group_messages": False},
    "getMyCommands": [],
    "getMyName": {"name": ""},
    "getMyDescription": {"description": ""},
    "getMyShortDescription": {"short_description": ""},
    "getWebhookInfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
}
_BATCH = 100
_LONGEST_POLL = 50
"""Seconds; the server decides how long a poll may take."""

_CLOSED_AFTER = 10
"""Seconds."""

StoredMessage = dict[str, Any]


class BadCall(Exception):
    """A call that Telegram refuses."""


@dataclass(slots=True)
class Chat:
    """A private chat: its messages, and what is called for each that the bot sends or edits."""

    id: int
    language: str
    on_shown: Callable[[StoredMessage], None]
    messages: dict[int, StoredMessage] = field(default_factory=dict)
    last_id: int = 0

    @property
    def person(self) -> Mapping[str, Any]:
        """The person, as a user."""
        return {"id": self.id, "is_bot": False, "first_name": "Person", "language_code": self.language}

    def add(self, sender: Mapping[str, Any], content: Mapping[str, Any]) -> StoredMessage:
        """Add a message."""
        self.last_id += 1
        chat = {"id": self.id, "type": "private", "first_name": "Person"}
        message = {"message_id": self.last_id, "from": sender, "chat": chat, "date": int(time.time()), **content}
        self.messages[self.last_id] = message
        return message


@dataclass(slots=True)
class _Poll:
    request: Request
    timer: asyncio.TimerHandle


class BotApi:
    """The server. `network_delay` is the round trip of every call in seconds, half of it on each way."""

    def __init__(self) -> None:
        self.network_delay = 0.0
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.polled = asyncio.Event()
        self.last_call_at = 0.0
        self._chats: dict[int, Chat] = {}
        self._updates: list[tuple[int, bytes]] = []
        self._update_id = 0
        self._files = 0
        self._poll: _Poll | None = None
        self._prefix = f"/bot{TOKEN}/"

    def connection(self) -> Connection:
        """A new connection to this server."""
        return Connection(self._receive)

    def open_chat(self, chat: Chat) -> None:
        """Let a person open a chat with the bot."""
        self._chats[chat.id] = chat

    def close_chat(self, chat: Chat) -> None:
        """Stop watching a chat, and forget it when the bot's last calls to it have surely come."""
        chat.on_shown = _ignore
        asyncio.get_running_loop().call_later(_CLOSED_AFTER, self._chats.pop, chat.id, None)

    def write(self, chat: Chat, text: str) -> None:
        """Let the person write."""
        command = {"entities": [{"type": "bot_command", "offset": 0, "length": len(text)}]}
        self._send_update("message", chat.add(chat.person, {"text": text} | (command if text[0] == "/" else {})))

    def press(self, chat: Chat, message: StoredMessage, button: Mapping[str, Any]) -> None:
        """Let the person press a button of a message."""
        query = {"id": str(self._update_id), "from": chat.person, "message": message, "chat_instance": str(chat.id)}
        self._send_update("callback_query", query | {"data": button["callback_data"]})

    def _send_update(self, kind: str, content: Mapping[str, Any]) -> None:
        self._update_id += 1
        update = {"update_id": self._update_id, kind: content}
        self._updates.append((self._update_id, json.dumps(update).encode()))
        if self._poll is not None:
            self._answer_poll()

    def _receive(self, request: Request) -> None:
        self._after_half_way(self._handle, request)

    def _after_half_way(self, function: Callable[..., None], *arguments: object) -> None:
        if self.network_delay:
            asyncio.get_running_loop().call_later(self.network_delay / 2, function, *arguments)
        else:
            function(*arguments)

    def _handle(self, request: Request) -> None:
        method = request.path.removeprefix(self._prefix)
        if method == request.path:
            self._reply(request, 404, {"ok": False, "error_code": 404, "description": "Not Found"})
            return
        if method == "getUpdates":
            self._get_updates(request)
            return
        self.calls[method] += 1
        self.last_call_at = time.perf_counter()
        try:
            result, chat = self._result(method, request.parameters())
        except BadCall as refusal:
            self.refused[f"{method}: {refusal}"] += 1
            self._reply(request, 400, {"ok": False, "error_code": 400, "description": f"Bad Request: {refusal}"})
            return
        self._reply(request, 200, {"ok": True, "result": result})
        if chat is not None:
            chat.on_shown(result)

    def _reply(self, request: Request, status: int, answer: Mapping[str, Any]) -> None:
        self._after_half_way(request.reply, status, json.dumps(answer).encode())

    def _get_updates(self, request: Request) -> None:
        parameters = request.parameters()
        offset = int(parameters.get("offset", 0))
        self._updates = [update for update in self._updates if update[0] >= offset]
        if self._poll is not None:
            self._answer_poll()
        seconds = min(int(parameters.get("timeout", 0)), _LONGEST_POLL)
        self._poll = _Poll(request, asyncio.get_running_loop().call_later(seconds, self._answer_poll))
        if self._updates or not seconds:
            self._answer_poll()
        self.polled.set()

    def _answer_poll(self) -> None:
        assert self._poll is not None  # noqa: S101 - every caller has looked
        self._poll.timer.cancel()
        batch = b",".join(body for _, body in self._updates[:_BATCH])
        self._after_half_way(self._poll.request.reply, 200, b'{"ok":true,"result":[%b]}' % batch)
        self._poll = None

    def _result(self, method: str, parameters: Parameters) -> tuple[Any, Chat | None]:
        """What a method returns, and the chat where it shows a message."""
        if method in _FIXED_ANSWERS:
            return _FIXED_ANSWERS[method], None
        number = int(parameters.get("chat_id", 0))
        chat = self._chats.get(number) or Chat(number, "", _ignore)
        if method in ("sendMessage", "sendPhoto"):
            return chat.add(_BOT, self._content(parameters)), chat
        if method.startswith("editMessage"):
            return self._edit(chat, parameters), chat
        if method in ("deleteMessage", "deleteMessages"):
            self._delete(chat, parameters)
        return True, None

    def _content(self, parameters: Parameters) -> StoredMessage:
        content: StoredMessage = {name: parameters[name] for name in ("text", "caption") if parameters.get(name)}
        if "photo" in parameters:
            content["photo"] = self._stored_photo(parameters["photo"], parameters)
        elif "text" not in content:
            raise BadCall("message text is empty")
        return content | _keyboard(parameters)

    def _edit(self, chat: Chat, parameters: Parameters) -> StoredMessage:
        message = chat.messages.get(int(parameters.get("message_id", 0)))
        if message is None:
            raise BadCall("message to edit not found")
        edited = {name: value for name, value in message.items() if name != "reply_markup"} | _keyboard(parameters)
        media = _decoded(parameters.get("media"))
        if media:
            edited.pop("text", None)
            edited |= {"caption": media.get("caption", ""), "photo": self._stored_photo(media["media"], parameters)}
        edited |= {name: parameters[name] for name in ("text", "caption") if name in parameters}
        if edited == message:
            raise BadCall("message is not modified")
        chat.messages[message["message_id"]] = edited
        return edited

    @staticmethod
    def _delete(chat: Chat, parameters: Parameters) -> None:
        for each in _decoded(parameters.get("message_ids", "[]")):
            chat.messages.pop(each, None)
        if "message_id" in parameters and chat.messages.pop(int(parameters["message_id"]), None) is None:
            raise BadCall("message to delete not found")

    def _stored_photo(self, photo: str | bytes, parameters: Parameters) -> list[Mapping[str, Any]]:
        if isinstance(photo, str) and photo.startswith("attach://"):
            photo = parameters.get(photo.removeprefix("attach://"), b"")
        if isinstance(photo, bytes) and not photo.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff")):
            raise BadCall("IMAGE_PROCESS_FAILED")
        self._files += isinstance(photo, bytes)
        name = photo if isinstance(photo, str) else f"photo-{self._files}"
        return [{"file_id": name, "file_unique_id": name, "width": 300, "height": 300}]


def _ignore(_: StoredMessage) -> None:
    """Nobody waits for messages of this chat any more."""


def _decoded(value: object) -> Any:
    """Read an object that a form carries as JSON, and a JSON body as it is."""
    return json.loads(value) if isinstance(value, str) else value


def _keyboard(parameters: Parameters) -> StoredMessage:
    markup = _decoded(parameters.get("reply_markup"))
    return {"reply_markup": markup} if markup and markup.get("inline_keyboard") else {}
