"""Writes the events of the chats as a script that passes when it runs: who acts, in which chat, when, in what order.

`step_writer` writes the single steps. Faults, crashes and jumps of the clock leave no event, so they are not recorded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from chatscript.language.bot_texts import DEFAULT_LANGUAGE, BotTexts
from chatscript.language.steps import FIRST_PERSON
from chatscript.match import transcript
from chatscript.match.chat_view import ChatEvent, ChatView, parse_event
from chatscript.match.matcher import MatchContext
from chatscript.record.step_writer import StepWriter
from playground.phone.apps import PhoneApp
from playground.world.records import Json

_UNPROMPTED_AFTER = 4.0
"""After this many seconds without an event, the bot acts by the clock and not as an answer."""
_TITLE_ENDS = re.compile(r"\s+[·|–—-]\s+")


def write_script(
    events: Sequence[Json],
    bot_texts: BotTexts,
    codes: Mapping[str, str | None],
    staff: AbstractSet[int] = frozenset(),
) -> str:
    """Return the script of the events. `codes` are QR codes by file_id, `staff` the ids of support staff."""
    writer = _ScriptWriter(bot_texts, codes)
    for event in events:
        writer.add_event(event)
    return "\n".join(["title: A recorded conversation", *writer.settings(staff), "", *writer.lines, ""])


@dataclass(slots=True)
class _ScriptWriter:
    bot_texts: BotTexts
    codes: Mapping[str, str | None]
    steps: StepWriter = field(init=False)
    lines: list[str] = field(default_factory=list)
    _clients: dict[int, str] = field(default_factory=dict)
    _blocked: set[int] = field(default_factory=set)
    _names: dict[int, str] = field(default_factory=dict)
    _languages: dict[int, str] = field(default_factory=dict)
    _chats: dict[int, ChatView] = field(default_factory=dict)
    _apps: dict[str, int] = field(default_factory=dict)
    _person: int = 0
    _chat: int = 0
    _started: float | None = None
    _waited: float = 0
    _last: float = 0

    def __post_init__(self) -> None:
        self.steps = StepWriter(self.bot_texts, self.codes, self._on_language_changed)

    def settings(self, staff: AbstractSet[int]) -> Sequence[str]:
        """Return the settings that name people of this script."""
        staff_names = [f"{{id:{name}}}" for id, name in self._names.items() if id in staff]
        return [f"@set STAFF_IDS={','.join(staff_names)}"] if staff_names else []

    def add_event(self, raw: Json) -> None:
        """Write the lines of an event."""
        match raw["kind"]:
            case "person":
                self._on_person(raw["user"])
            case "group":
                self._on_user_action(raw["at"], self._person or raw["group"]["members"][0])
                self._switch_to(self._person, raw["group"]["id"])
            case "phone":
                self._on_phone(raw)
            case _ if event := parse_event(raw):
                self._on_chat_event(event, raw)

    def _on_chat_event(self, event: ChatEvent, raw: Json) -> None:
        chat = self._chats.setdefault(event.chat, ChatView(event.chat))
        if event.own and event.kind in ("message", "edit", "press", "inline", "chose") and event.person is not None:
            self._on_user_action(raw["at"], event.person)
            self._switch_to(event.person, event.chat)
            self.lines += map(self.steps.with_people, self._user_lines(chat, event, raw))
        elif event.must_be_mentioned:
            self._advance_clock(raw["at"])
            self._switch_to(event.chat if event.chat > 0 else self._person, event.chat)
            self.lines += self.steps.write_expectation(event)
        chat.add(event)

    def _user_lines(self, chat: ChatView, event: ChatEvent, raw: Json) -> Sequence[str]:
        if event.kind == "press":
            return [self.steps.write_press(chat, event, raw)]
        opened = self.steps.write_link_opened(event.message.text) if event.kind == "message" and event.message else None
        return opened or transcript.format_event(event) or []

    # The current person, chat and time.

    def _on_person(self, person: Json) -> None:
        id, blocked = person["id"], bool(person["blocked"])
        before = self._clients.setdefault(id, person["language_code"])
        if id in self._names and blocked != (id in self._blocked):
            self._switch_to(id, id)
            self.lines.append("@block" if blocked else "@unblock")
        (self._blocked.add if blocked else self._blocked.discard)(id)
        if before != person["language_code"]:
            self._clients[id] = person["language_code"]
            if id in self._names:
                self._switch_to(id, id)
                self._switch_language(id, "@lang")

    def _switch_to(self, person: int, chat: int) -> None:
        """Make this the current person and chat."""
        if person != self._person:
            known = person in self._names
            name = self._names.setdefault(person, _letter(len(self._names)))
            if self._person:
                self.lines.append(f"@user {name}")
            first = next(iter(self._names))
            default = DEFAULT_LANGUAGE if person == first else self._clients[first].partition("-")[0]
            self._person = self._chat = person
            if not known:
                self._languages[person] = self.bot_texts.language_for(self._clients[person], DEFAULT_LANGUAGE)
                if self._clients[person].partition("-")[0] != default:
                    self._switch_language(person, "@lang")
            ids = {name: id for id, name in self._names.items()}
            self.steps.scope = MatchContext({}, ids, self.bot_texts, self._languages[person])
        if chat != self._chat:
            self.lines.append("@group" if chat < 0 else "@private")
            self._chat = chat

    def _switch_language(self, person: int, mark: str) -> None:
        code = self._clients[person]
        self.lines.append(f"{mark} {code}")
        self._languages[person] = self.steps.scope.language = self.bot_texts.language_for(code, DEFAULT_LANGUAGE)

    def _on_language_changed(self, language: str) -> None:
        self.lines.append(f"@texts {language}")
        self._languages[self._person] = language

    def _on_user_action(self, at: float, person: int) -> None:
        self._started = self._started or at
        self._last = at
        if not self._person:
            self._switch_to(person, person)

    def _advance_clock(self, at: float) -> None:
        """Write @wait before an event that the bot sent by the clock."""
        started = self._started or at
        missing = math.ceil(at - started - self._waited)
        if at - self._last > _UNPROMPTED_AFTER and missing > 0:
            minutes, seconds = divmod(missing, 60)
            self.lines.append("@wait " + (f"{minutes}m" if minutes else "") + (f"{seconds}s" if seconds else ""))
            self._waited += missing
        self._last = at

    # The phone.

    def _on_phone(self, raw: Json) -> None:
        app, gesture, url = raw["app"], raw["did"], raw["url"]
        if gesture == "open":
            self._apps[app] = self.steps.link_owners.get(url, self._chat if url in self.steps.values else 0)
        owner = self._apps.get(app, 0)
        line = owner and self._phone_line(PhoneApp(app), gesture, raw["label"], url, owner)
        if line:
            self._on_user_action(raw["at"], owner)
            if owner > 0:
                self._switch_to(owner, owner)
            self.lines.append(line)

    def _phone_line(self, app: PhoneApp, gesture: str, label: str, url: str, owner: int) -> str | None:
        match gesture:
            case "open":
                newest = next(filter(None, map(self.codes.get, self._chats[owner].pictures())), None)
                return f"@scan {app}" if url == newest else f"@scan {app} {{{self.steps.values[url]}}}"
            case "press" | "tick" | "choose":
                return f"@{gesture} {self.steps.write_page_text(label)}"
            case "shows":
                return f"@page {self.steps.write_page_text(_TITLE_ENDS.split(label)[0])}"
            case "reload":
                return "@reload"
            case _:
                return None


def _letter(number: int) -> str:
    return chr(ord(FIRST_PERSON) + number) if number < 26 else f"{FIRST_PERSON}{number}"
