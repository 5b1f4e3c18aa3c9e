"""A chat as the person's side sees it: messages, buttons, and everything that happened, in order.

Remembers keyboards that have since been edited away, because a press of an old button still reaches a bot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One button; `target` is the address it opens or the text it copies, `data` what a press sends."""

    label: str
    kind: str
    data: str = ""
    target: str = ""


Rows = tuple[tuple[Key, ...], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message at one moment.

    `typed` rows are a reply keyboard, whose keys are typed for the person; `clears` takes such a keyboard away.
    """

    id: int
    own: bool
    kind: str
    text: str
    rows: Rows = ()
    typed: bool = False
    clears: bool = False
    picture: str | None = None
    file: str | None = None
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a chat.

    A press has the label as its text, a forged one only data; `rows` are the results of an inline query, under the
    button above them.
    """

    seq: int
    chat: int
    kind: str
    own: bool
    person: int | None = None
    message: Message | None = None
    was: Message | None = None
    text: str = ""
    alert: bool = False
    data: str = ""
    rows: Rows = ()

    @property
    def counts(self) -> bool:
        """Whether a strict script must mention it: nothing of the person's own, no silent answer."""
        if self.kind == "toast":
            return bool(self.text)
        return self.kind in ("delete", "left", "results") or (self.kind in ("message", "edit") and not self.own)


@dataclass(frozen=True, slots=True)
class Spot:
    """A button on a message: where it is, whether it is still there and the only one of its label."""

    message: int
    key: Key
    row: int
    column: int
    there: bool
    alone: bool


@dataclass(slots=True)
class Chat:
    """Everything seen of one chat, and how far the script has read in it."""

    id: int
    events: list[Event] = field(default_factory=list)
    read: int = 0
    own_last: dict[int, int] = field(default_factory=dict)
    _messages: dict[int, Message] = field(default_factory=dict)
    _keyboards: list[tuple[int, Rows]] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take the next event in."""
        self.events.append(event)
        if event.kind == "delete" and event.was is not None:
            self._messages.pop(event.was.id, None)
        elif event.message is not None:
            self._messages[event.message.id] = event.message
            if event.message.rows and not event.message.typed:
                self._keyboards.append((event.message.id, event.message.rows))
            if event.own and event.person is not None and event.kind == "message":
                self.own_last[event.person] = event.message.id

    def unread(self) -> list[Event]:
        """List what counts and is not read yet."""
        return [event for event in self.events[self.read :] if event.counts]

    def read_up_to(self, event: Event) -> None:
        """Go on behind that event."""
        self.read = self.events.index(event) + 1

    def live(self) -> Message | None:
        """Return the newest message with inline buttons."""
        return next((m for m in self._newest_first() if m.rows and not m.typed), None)

    def reply_keyboard(self) -> Message | None:
        """Return the message whose reply keyboard stands below the input field."""
        newest = next((m for m in self._newest_first() if m.typed or m.clears), None)
        return newest if newest and newest.typed else None

    def offered(self) -> Rows:
        """Return what the newest inline query was answered with."""
        return next((event.rows for event in reversed(self.events) if event.kind == "results"), ())

    def newest(self) -> Message | None:
        """Return the bot's newest message."""
        return next((m for m in self._newest_first() if not m.own), None)

    def pictures(self) -> list[str]:
        """List the bot's pictures, the newest first, deleted ones too: people keep photos."""
        seen = (event.message for event in reversed(self.events) if event.message and not event.own)
        return [message.picture for message in seen if message.picture]

    def old_spots(self) -> list[Spot]:
        """List buttons of earlier keyboards, newest first: of other messages, then of the live one."""
        live = self.live()
        found: list[Spot] = []
        for id, rows in reversed(self._keyboards):
            message = self._messages.get(id)
            if live is None or id != live.id or rows != live.rows:
                found.extend(spots(id, rows, there=message is not None and message.rows == rows))
        return sorted(found, key=lambda spot: live is not None and spot.message == live.id)

    def _newest_first(self) -> Sequence[Message]:
        return sorted(self._messages.values(), key=lambda message: -message.id)


def spots(id: int, rows: Rows, *, there: bool = True) -> list[Spot]:
    """List the buttons of a keyboard with their places, counted from 0."""
    labels = [key.label for keys in rows for key in keys]
    return [
        Spot(id, key, row, column, there, labels.count(key.label) == 1)
        for row, keys in enumerate(rows)
        for column, key in enumerate(keys)
    ]


def read_event(told: Json) -> Event | None:
    """Read an event of the stand-in; None for those that are no part of a chat."""
    if told.get("chat") is None:
        return None
    message = _message(told["message"]) if told.get("message") else None
    was = _message(told["was"]) if told.get("was") else None
    own = _is_own(told.get("message") or told)
    person = told.get("user") if told.get("from") == "user" else None
    words, alert = told.get("text") or "", bool(told.get("alert"))
    rows = _results(told) if told["kind"] == "results" else ()
    facts = {"data": told.get("data", ""), "rows": rows}
    return Event(told["seq"], told["chat"], told["kind"], own, person, message, was, words, alert, **facts)


def _results(told: Json) -> Rows:
    above = (Key(told["button"]["text"], "button"),) if told["button"] else ()
    offered = tuple(Key(result.get("title") or result["id"], "result", data=result["id"]) for result in told["results"])
    return tuple(row for row in (above, offered) if row)


def _is_own(told: Json) -> bool:
    # What somebody sends via the bot is in the bot's words.
    return told.get("from") == "user" and not told.get("via")


def _message(told: Json) -> Message:
    kind = told.get("kind") or ("photo" if told.get("photo") else "document" if told.get("document") else "text")
    kind = "via" if told.get("via") else kind
    rows = tuple(tuple(_key(button) for button in row) for row in told.get("buttons") or ())
    keys = tuple(tuple(Key(label, "text") for label in row) for row in told.get("keys") or ())
    return Message(
        id=told["id"],
        own=_is_own(told),
        kind=kind,
        text=told.get("text") or told.get("caption") or "",
        rows=rows or keys,
        typed=bool(keys) and not rows,
        clears=told.get("markup") == "remove",
        picture=(told.get("photo") or {}).get("file_id"),
        file=(told.get("document") or {}).get("file_name"),
        forwarded=bool(told.get("forwarded")),
    )


def _key(told: Json) -> Key:
    target = told.get("url") or told.get("copy") or told.get("query") or ""
    return Key(told["label"], told.get("kind", "data"), told.get("data") or "", target)
