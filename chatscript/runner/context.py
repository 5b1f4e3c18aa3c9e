"""Where a script stands while it is played: who speaks, in which chat, what is known, what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from chatscript.language import steps
from chatscript.language.bot_texts import Catalogue
from chatscript.match.chat_view import Chat
from chatscript.match.matcher import Scope
from chatscript.runner.environment import Stage
from chatscript.runner.event_waiter import Listener
from chatscript.runner.simulator_client import SimClient
from playground.phone.browser import Phone

GROUP_TITLE = "群"
CLIENT_LANGUAGES = {"zh": "zh-hans"}


class Unmet(Exception):
    """A line of the script that did not come true, in the words of the report."""

    def __init__(self, headline: str, *, got: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
        super().__init__(headline)
        self.headline = headline
        self.got = tuple(got)
        self.notes = tuple(notes)


@dataclass(slots=True)
class Scene:
    """The state of one performance."""

    stage: Stage
    scope: Scope
    languages: dict[str, str]
    person: str
    chat: Chat
    closing: AsyncExitStack
    group: int | None = None
    hurried: bool = False
    troubled: bool = False
    skipping: set[int] = field(default_factory=set)
    _phones: dict[str, Phone] = field(default_factory=dict)

    @property
    def client(self) -> SimClient:
        """The playground."""
        return self.stage.client

    @property
    def listener(self) -> Listener:
        """The event log."""
        return self.stage.listener

    @property
    def me(self) -> int:
        """The id of the person who speaks."""
        return self.scope.people[self.person]

    def go_to(self, chat: int) -> None:
        """Let the next lines belong to that chat."""
        self.chat = self.listener.chat(chat)

    def speak(self, person: str) -> None:
        """Let that person speak, in his private chat and his language."""
        self.person = person
        self.scope.language = self.languages[person]
        self.go_to(self.me)

    async def let_in(self, name: str) -> None:
        """Let somebody in who was not there from the start."""
        if name not in self.scope.people:
            language = self.languages[steps.FIRST_PERSON]
            id = await self.client.add_person(name, CLIENT_LANGUAGES.get(language, language))
            self.scope.people = {**self.scope.people, name: id}
            self.languages[name] = language

    def name_of(self, chat: Chat) -> str:
        """Name a chat in words."""
        owner = next((name for name, id in self.scope.people.items() if id == chat.id), None)
        return f"the chat of {owner}" if owner else "the group"

    def provoked(self) -> None:
        """An update is under way: an idle, silent bot has nothing to add, unless its calls are made to fail."""
        self.hurried = not self.troubled

    def unhurried(self) -> None:
        """What comes next comes by the clock or from elsewhere: an idle bot may still have something to say."""
        self.hurried = False

    async def forget_the_allowed(self) -> None:
        """End a line of `...`: everything up to here was fine."""
        if self.chat.id in self.skipping:
            await self.listener.quiet()
            self.chat.read = len(self.chat.events)
            self.skipping.discard(self.chat.id)

    async def phone(self) -> Phone:
        """Return this person's phone."""
        if self.person not in self._phones:
            self._phones[self.person] = await self.closing.enter_async_context(Phone())
        return self._phones[self.person]


async def open_scene(
    stage: Stage,
    catalogue: Catalogue,
    *,
    people: Sequence[str],
    language: str,
    values: dict[str, str],
    closing: AsyncExitStack,
) -> Scene:
    """Let the people in; the bot does not run yet."""
    client_language = CLIENT_LANGUAGES.get(language, language)
    ids = {name: await stage.client.add_person(name, client_language) for name in people}
    scope = Scope(values, ids, catalogue, language)
    first = people[0]
    return Scene(stage, scope, dict.fromkeys(people, language), first, stage.listener.chat(ids[first]), closing)
