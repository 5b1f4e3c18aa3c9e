"""Where a script stands while it is played: who speaks, in which chat, what is known, what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from chatscript.language import steps
from chatscript.language.bot_texts import BotTexts
from chatscript.match.chat_view import ChatView
from chatscript.match.matcher import MatchContext
from chatscript.runner.environment import CaseEnvironment
from chatscript.runner.event_waiter import EventWaiter
from chatscript.runner.simulator_client import SimulatorClient
from playground.phone.browser import Phone

GROUP_TITLE = "群"
CLIENT_LANGUAGES = {"zh": "zh-hans"}


class StepFailed(Exception):
    """A line of the script that did not come true, in the words of the report."""

    def __init__(self, headline: str, *, got: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
        super().__init__(headline)
        self.headline = headline
        self.got = tuple(got)
        self.notes = tuple(notes)


@dataclass(slots=True)
class RunContext:
    """The state of one performance."""

    environment: CaseEnvironment
    scope: MatchContext
    languages: dict[str, str]
    person: str
    chat: ChatView
    exit_stack: AsyncExitStack
    group: int | None = None
    expects_prompt_reply: bool = False
    faults_ordered: bool = False
    lenient_chats: set[int] = field(default_factory=set)
    _phones: dict[str, Phone] = field(default_factory=dict)

    @property
    def client(self) -> SimulatorClient:
        """The playground."""
        return self.environment.client

    @property
    def listener(self) -> EventWaiter:
        """The event log."""
        return self.environment.listener

    @property
    def person_id(self) -> int:
        """The id of the person who speaks."""
        return self.scope.people[self.person]

    def switch_chat(self, chat: int) -> None:
        """Let the next lines belong to that chat."""
        self.chat = self.listener.chat(chat)

    def switch_person(self, person: str) -> None:
        """Let that person speak, in his private chat and his language."""
        self.person = person
        self.scope.language = self.languages[person]
        self.switch_chat(self.person_id)

    async def add_person(self, name: str) -> None:
        """Let somebody in who was not there from the start."""
        if name not in self.scope.people:
            language = self.languages[steps.FIRST_PERSON]
            id = await self.client.add_person(name, CLIENT_LANGUAGES.get(language, language))
            self.scope.people = {**self.scope.people, name: id}
            self.languages[name] = language

    def name_of(self, chat: ChatView) -> str:
        """Name a chat in words."""
        owner = next((name for name, id in self.scope.people.items() if id == chat.id), None)
        return f"the chat of {owner}" if owner else "the group"

    def expect_prompt_reply(self) -> None:
        """An update is under way: an idle, silent bot has nothing to add, unless its calls are made to fail."""
        self.expects_prompt_reply = not self.faults_ordered

    def allow_late_reply(self) -> None:
        """What comes next comes by the clock or from elsewhere: an idle bot may still have something to say."""
        self.expects_prompt_reply = False

    async def end_lenient_passage(self) -> None:
        """End a line of `...`: everything up to here was fine."""
        if self.chat.id in self.lenient_chats:
            await self.listener.wait_idle()
            self.chat.read_count = len(self.chat.events)
            self.lenient_chats.discard(self.chat.id)

    async def phone(self) -> Phone:
        """Return this person's phone."""
        if self.person not in self._phones:
            self._phones[self.person] = await self.exit_stack.enter_async_context(Phone())
        return self._phones[self.person]


async def open_context(
    environment: CaseEnvironment,
    bot_texts: BotTexts,
    *,
    people: Sequence[str],
    language: str,
    values: dict[str, str],
    exit_stack: AsyncExitStack,
) -> RunContext:
    """Let the people in; the bot does not run yet."""
    client_language = CLIENT_LANGUAGES.get(language, language)
    ids = {name: await environment.client.add_person(name, client_language) for name in people}
    scope = MatchContext(values, ids, bot_texts, language)
    first = people[0]
    return RunContext(
        environment, scope, dict.fromkeys(people, language), first, environment.listener.chat(ids[first]), exit_stack
    )
