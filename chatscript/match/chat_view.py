"""A chat as the person's side sees it: messages, buttons, and everything that happened, in order.

Remembers keyboards that have since been edited away, because a press of an old button still reaches a bot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ButtonView:
    """One button; `target` is the address it opens or the text it copies, `data` what a press sends."""

    label: str
    kind: str
    data: str = ""
    target: str = ""


ButtonRows = tuple[tuple[ButtonView, ...], ...]


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message at one moment.

    `typed` rows are a reply keyboard, whose keys are typed for the person; `clears` takes such a keyboard away.
    """

    id: int
    own: bool
    kind: str
    text: str
    rows: ButtonRows = ()
    is_reply_keyboard: bool = False
    removes_reply_keyboard: bool = False
    picture: str | None = None
    file: str | None = None
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """Something that happened in a chat.

    A press has the label as its text, a forged one only data; `rows` are the results of an inline query, under the
    button above them.
    """

    seq: int
    chat: int
    kind: str
    own: bool
    person: int | None = None
    message: MessageView | None = None
    before: MessageView | None = None
    text: str = ""
    alert: bool = False
    data: str = ""
    rows: ButtonRows = ()

    @property
    def must_be_mentioned(self) -> bool:
        """Whether a strict script must mention it: nothing of the person's own, no silent answer."""
        if self.kind == "toast":
            return bool(self.text)
        return self.kind in ("delete", "left", "results") or (self.kind in ("message", "edit") and not self.own)


@dataclass(frozen=True, slots=True)
class ButtonPosition:
    """A button on a message: where it is, whether it is still there and the only one of its label."""

    message: int
    button: ButtonView
    row: int
    column: int
    is_present: bool
    is_only_label: bool


@dataclass(slots=True)
class ChatView:
    """Everything seen of one chat, and how far the script has read in it."""

    id: int
    events: list[ChatEvent] = field(default_factory=list)
    read_count: int = 0
    last_own_message: dict[int, int] = field(default_factory=dict)
    _messages: dict[int, MessageView] = field(default_factory=dict)
    _keyboards: list[tuple[int, ButtonRows]] = field(default_factory=list)

    def add(self, event: ChatEvent) -> None:
        """Take the next event in."""
        self.events.append(event)
        if event.kind == "delete" and event.before is not None:
            self._messages.pop(event.before.id, None)
        elif event.message is not None:
            self._messages[event.message.id] = event.message
            if event.message.rows and not event.message.is_reply_keyboard:
                self._keyboards.append((event.message.id, event.message.rows))
            if event.own and event.person is not None and event.kind == "message":
                self.last_own_message[event.person] = event.message.id

    def unread_events(self) -> list[ChatEvent]:
        """List what counts and is not read yet."""
        return [event for event in self.events[self.read_count :] if event.must_be_mentioned]

    def read_up_to(self, event: ChatEvent) -> None:
        """Go on behind that event."""
        self.read_count = self.events.index(event) + 1

    def inline_keyboard_message(self) -> MessageView | None:
        """Return the newest message with inline buttons."""
        return next((m for m in self._newest_first() if m.rows and not m.is_reply_keyboard), None)

    def reply_keyboard_message(self) -> MessageView | None:
        """Return the message whose reply keyboard stands below the input field."""
        newest = next((m for m in self._newest_first() if m.is_reply_keyboard or m.removes_reply_keyboard), None)
        return newest if newest and newest.is_reply_keyboard else None

    def inline_results(self) -> ButtonRows:
        """Return what the newest inline query was answered with."""
        return next((event.rows for event in reversed(self.events) if event.kind == "results"), ())

    def newest_bot_message(self) -> MessageView | None:
        """Return the bot's newest message."""
        return next((m for m in self._newest_first() if not m.own), None)

    def pictures(self) -> list[str]:
        """List the bot's pictures, the newest first, deleted ones too: people keep photos."""
        seen = (event.message for event in reversed(self.events) if event.message and not event.own)
        return [message.picture for message in seen if message.picture]

    def earlier_buttons(self) -> list[ButtonPosition]:
        """List buttons of earlier keyboards, newest first: of other messages, then of the live one."""
        live = self.inline_keyboard_message()
        found: list[ButtonPosition] = []
        for id, rows in reversed(self._keyboards):
            message = self._messages.get(id)
            if live is None or id != live.id or rows != live.rows:
                found.extend(button_positions(id, rows, there=message is not None and message.rows == rows))
        return sorted(found, key=lambda spot: live is not None and spot.message == live.id)

    def _newest_first(self) -> Sequence[MessageView]:
        return sorted(self._messages.values(), key=lambda message: -message.id)


def button_positions(id: int, rows: ButtonRows, *, there: bool = True) -> list[ButtonPosition]:
    """List the buttons of a keyboard with their places, counted from 0."""
    labels = [key.label for keys in rows for key in keys]
    return [
        ButtonPosition(id, key, row, column, there, labels.count(key.label) == 1)
        for row, keys in enumerate(rows)
        for column, key in enumerate(keys)
    ]


def parse_event(told: Json) -> ChatEvent | None:
    """Read an event of the stand-in; None for those that are no part of a chat."""
    if told.get("chat") is None:
        return None
    message = _parse_message(told["message"]) if told.get("message") else None
    was = _parse_message(told["was"]) if told.get("was") else None
    own = _is_own(told.get("message") or told)
    person = told.get("user") if told.get("from") == "user" else None
    words, alert = told.get("text") or "", bool(told.get("alert"))
    rows = _parse_results(told) if told["kind"] == "results" else ()
    facts = {"data": told.get("data", ""), "rows": rows}
    return ChatEvent(told["seq"], told["chat"], told["kind"], own, person, message, was, words, alert, **facts)


def _parse_results(told: Json) -> ButtonRows:
    above = (ButtonView(told["button"]["text"], "button"),) if told["button"] else ()
    offered = tuple(
        ButtonView(result.get("title") or result["id"], "result", data=result["id"]) for result in told["results"]
    )
    return tuple(row for row in (above, offered) if row)


def _is_own(told: Json) -> bool:
    # What somebody sends via the bot is in the bot's words.
    return told.get("from") == "user" and not told.get("via")


def _parse_message(told: Json) -> MessageView:
    kind = told.get("kind") or ("photo" if told.get("photo") else "document" if told.get("document") else "text")
    kind = "via" if told.get("via") else kind
    rows = tuple(tuple(_parse_button(button) for button in row) for row in told.get("buttons") or ())
    keys = tuple(tuple(ButtonView(label, "text") for label in row) for row in told.get("keys") or ())
    return MessageView(
        id=told["id"],
        own=_is_own(told),
        kind=kind,
        text=told.get("text") or told.get("caption") or "",
        rows=rows or keys,
        is_reply_keyboard=bool(keys) and not rows,
        removes_reply_keyboard=told.get("markup") == "remove",
        picture=(told.get("photo") or {}).get("file_id"),
        file=(told.get("document") or {}).get("file_name"),
        forwarded=bool(told.get("forwarded")),
    )


def _parse_button(told: Json) -> ButtonView:
    target = told.get("url") or told.get("copy") or told.get("query") or ""
    return ButtonView(told["label"], told.get("kind", "data"), told.get("data") or "", target)
