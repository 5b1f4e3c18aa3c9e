"""A chat as the person sees it: messages, buttons, and all events in order.

It keeps keyboards that were edited away, because a press of an old button still reaches the bot.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from playground.world.records import Json


@dataclass(frozen=True, slots=True)
class ButtonView:
    """One button. `target` is the URL that it opens or the text that it copies, `data` what a press sends."""

    label: str
    kind: str
    data: str = ""
    target: str = ""


ButtonRows = tuple[tuple[ButtonView, ...], ...]


@dataclass(frozen=True, slots=True)
class MessageView:
    """One version of a message.

    `rows` are inline buttons, or the keys of a reply keyboard when `is_reply_keyboard` is true.
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
    """One event of a chat.

    The text of a press is the label; a press that no button offered has only data. `rows` are the results of an inline
    query, with the button above them as the first row.
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
        """Whether a script must mention it: every event of the bot but a silent answer to a press."""
        if self.kind == "toast":
            return bool(self.text)
        marks = ("message", "edit", "reaction", "pin", "unpin")
        return self.kind in ("delete", "left", "results") or (self.kind in marks and not self.own)


@dataclass(frozen=True, slots=True)
class ButtonPosition:
    """The position of a button, whether it is still there, and whether it is the only one with its label."""

    message: int
    button: ButtonView
    row: int
    column: int
    is_present: bool
    is_only_label: bool


@dataclass(slots=True)
class ChatView:
    """All events of one chat, and how many of them the script has read."""

    id: int
    events: list[ChatEvent] = field(default_factory=list)
    read_count: int = 0
    last_own_message: dict[int, int] = field(default_factory=dict)
    _messages: dict[int, MessageView] = field(default_factory=dict)
    _keyboards: list[tuple[int, ButtonRows]] = field(default_factory=list)

    def add(self, event: ChatEvent) -> None:
        """Add the next event."""
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
        """Return the unread events that the script must mention."""
        return [event for event in self.events[self.read_count :] if event.must_be_mentioned]

    def next_unread(self) -> ChatEvent | None:
        """Return the first unread event that the script must mention."""
        rest = (self.events[number] for number in range(self.read_count, len(self.events)))
        return next((event for event in rest if event.must_be_mentioned), None)

    def read_up_to(self, event: ChatEvent) -> None:
        """Mark all events up to this one as read."""
        self.read_count = bisect_right(self.events, event.seq, key=lambda each: each.seq)

    def inline_keyboard_message(self) -> MessageView | None:
        """Return the newest message with inline buttons."""
        return next((m for m in self._newest_first() if m.rows and not m.is_reply_keyboard), None)

    def reply_keyboard_message(self) -> MessageView | None:
        """Return the message whose reply keyboard is shown below the input field."""
        newest = next((m for m in self._newest_first() if m.is_reply_keyboard or m.removes_reply_keyboard), None)
        return newest if newest and newest.is_reply_keyboard else None

    def inline_results(self) -> ButtonRows:
        """Return the results of the newest inline query."""
        return next((event.rows for event in reversed(self.events) if event.kind == "results"), ())

    def newest_bot_message(self) -> MessageView | None:
        """Return the bot's newest message."""
        return next((m for m in self._newest_first() if not m.own), None)

    def pictures(self) -> list[str]:
        """Return the file ids of the bot's pictures, newest first; deleted ones too, because people save photos."""
        messages = (event.message for event in reversed(self.events) if event.message and not event.own)
        return [message.picture for message in messages if message.picture]

    def earlier_buttons(self) -> list[ButtonPosition]:
        """Return the buttons of earlier keyboards, newest first: of other messages, then of the current one."""
        current = self.inline_keyboard_message()
        found: list[ButtonPosition] = []
        for id, rows in reversed(self._keyboards):
            message = self._messages.get(id)
            if current is None or id != current.id or rows != current.rows:
                found.extend(button_positions(id, rows, is_present=message is not None and message.rows == rows))
        return sorted(found, key=lambda position: current is not None and position.message == current.id)

    def _newest_first(self) -> Sequence[MessageView]:
        return sorted(self._messages.values(), key=lambda message: -message.id)


def button_positions(id: int, rows: ButtonRows, *, is_present: bool = True) -> list[ButtonPosition]:
    """Return the buttons of a keyboard with their positions, counted from 0."""
    labels = [key.label for keys in rows for key in keys]
    return [
        ButtonPosition(id, key, row, column, is_present, labels.count(key.label) == 1)
        for row, keys in enumerate(rows)
        for column, key in enumerate(keys)
    ]


def parse_event(event: Json) -> ChatEvent | None:
    """Parse an event of the simulator; None for an event outside all chats."""
    if event.get("chat") is None:
        return None
    message = _parse_message(event["message"]) if event.get("message") else None
    before = _parse_message(event["was"]) if event.get("was") else None
    own = _is_own(event.get("message") or event)
    person = event.get("user") if event.get("from") == "user" else None
    return ChatEvent(
        seq=event["seq"],
        chat=event["chat"],
        kind=event["kind"],
        own=own,
        person=person,
        message=message,
        before=before,
        text=event.get("text") or "",
        alert=bool(event.get("alert")),
        data=event.get("data", ""),
        rows=_parse_results(event) if event["kind"] == "results" else (),
    )


def _parse_results(event: Json) -> ButtonRows:
    above = (ButtonView(event["button"]["text"], "button"),) if event["button"] else ()
    results = tuple(
        ButtonView(result.get("title") or result["id"], "result", data=result["id"]) for result in event["results"]
    )
    return tuple(row for row in (above, results) if row)


def _is_own(event: Json) -> bool:
    # The text of a message that a person sent via the bot is the bot's.
    return event.get("from") == "user" and not event.get("via")


def _parse_message(event: Json) -> MessageView:
    kind = event.get("kind") or ("photo" if event.get("photo") else "document" if event.get("document") else "text")
    kind = "via" if event.get("via") else kind
    rows = tuple(tuple(_parse_button(button) for button in row) for row in event.get("buttons") or ())
    choices = tuple(tuple(_parse_button(choice) for choice in row) for row in event.get("choices") or ())
    rows = rows if _is_own(event) else choices + rows
    keys = _parse_keys(event)
    return MessageView(
        id=event["id"],
        own=_is_own(event),
        kind=kind,
        text=event.get("text") or event.get("caption") or ("" if _is_own(event) else event.get("title") or ""),
        rows=rows or keys,
        is_reply_keyboard=bool(keys) and not rows,
        removes_reply_keyboard=event.get("markup") == "remove",
        picture=(event.get("photo") or {}).get("file_id"),
        file=(event.get("document") or {}).get("file_name"),
        forwarded=bool(event.get("forwarded")),
    )


def _parse_keys(event: Json) -> ButtonRows:
    labels = event.get("keys") or ()
    actions = event.get("key_actions") or [[{"kind": "text"}] * len(row) for row in labels]
    return tuple(
        tuple(
            ButtonView(label, action["kind"], target=action.get("url", "")) for label, action in zip(*row, strict=True)
        )
        for row in zip(labels, actions, strict=True)
    )


def _parse_button(event: Json) -> ButtonView:
    target = event.get("url") or event.get("copy") or event.get("query") or ""
    return ButtonView(event["label"], event.get("kind", "data"), event.get("data") or "", target)
