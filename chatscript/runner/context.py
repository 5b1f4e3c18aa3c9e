"""The state of a run: the current person and chat, the captured values, and which events are allowed."""

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
    """A step failed; the parts are those of the report."""

    def __init__(self, headline: str, *, got: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
        super().__init__(headline)
        self.headline = headline
        self.got = tuple(got)
        self.notes = tuple(notes)


@dataclass(slots=True)
class RunContext:
    """The state of running one case."""

    environment: CaseEnvironment
    scope: MatchContext
    languages: dict[str, str]
    person: str
    chat: ChatView
    exit_stack: AsyncExitStack
    groups: dict[str, int] = field(default_factory=dict)  # by the line that goes there
    expects_prompt_reply: bool = False
    has_read: bool = False
    faults_ordered: bool = False
    clock_moved: bool = False
    lenient_chats: set[int] = field(default_factory=set)
    _phones: dict[str, Phone] = field(default_factory=dict)

    @property
    def client(self) -> SimulatorClient:
        """The client of the simulator."""
        return self.environment.client

    @property
    def listener(self) -> EventWaiter:
        """The events of the simulator."""
        return self.environment.listener

    @property
    def person_id(self) -> int:
        """The id of the current person."""
        return self.scope.people[self.person]

    def switch_chat(self, chat: int) -> None:
        """Make this the current chat."""
        self.chat = self.listener.chat(chat)

    def switch_person(self, person: str) -> None:
        """Make this the current person, in their private chat and their language."""
        self.person = person
        self.scope.language = self.languages[person]
        self.switch_chat(self.person_id)

    async def add_person(self, name: str) -> None:
        """Add a person, unless there is one with that name."""
        if name not in self.scope.people:
            language = self.languages[steps.FIRST_PERSON]
            id = await self.client.add_person(name, CLIENT_LANGUAGES.get(language, language))
            self.scope.people = {**self.scope.people, name: id}
            self.languages[name] = language

    def name_of(self, chat: ChatView) -> str:
        """Return a description of a chat for reports."""
        owner = next((name for name, id in self.scope.people.items() if id == chat.id), None)
        return f"the chat of {owner}" if owner else self.chat_lines().get(chat.id, "the group")

    def chat_lines(self) -> dict[int, str]:
        """Return the line that goes to each chat, by the id of the chat."""
        people = {id: f"@user {name}" for name, id in self.scope.people.items()}
        return people | {id: line for line, id in self.groups.items()}

    def expect_prompt_reply(self) -> None:
        """The bot gets an update now. Once it is idle and silent again, it has answered, unless calls are to fail."""
        self.expects_prompt_reply = not self.faults_ordered

    async def finish_reading(self) -> None:
        """Take the moment that a person needs before they act on what the bot has said since they last acted."""
        if self.has_read:
            self.has_read = False
            await self.environment.wait_until_asleep()

    def allow_late_reply(self) -> None:
        """The next event comes by the clock or from outside: an idle bot may still send something."""
        self.expects_prompt_reply = False

    async def end_lenient_passage(self) -> None:
        """End the effect of `...`: accept everything up to now."""
        if self.chat.id in self.lenient_chats:
            await self.listener.wait_idle()
            self.chat.read_count = len(self.chat.events)
            self.lenient_chats.discard(self.chat.id)

    async def phone(self) -> Phone:
        """Return the current person's phone."""
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
    """Add the people. The bot does not run yet."""
    client_language = CLIENT_LANGUAGES.get(language, language)
    ids = {name: await environment.client.add_person(name, client_language) for name in people}
    scope = MatchContext(values, ids, bot_texts, language)
    first = people[0]
    return RunContext(
        environment, scope, dict.fromkeys(people, language), first, environment.listener.chat(ids[first]), exit_stack
    )
