"""Scripts in Python: the same lines, run one by one, as strict as in a file.

Every word means the same as in a script: `...`, `{name}`, `{t:key}`, `/regex/`. The bot starts with the first line.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chatscript.language import parser, steps
from chatscript.language.bot_texts import DEFAULT_LANGUAGE
from chatscript.language.lexer import SyntaxProblem
from chatscript.language.linter import find_key_problems
from chatscript.language.patterns import SourceLocation
from chatscript.language.steps import Script
from chatscript.record.expectation_writer import write_new_expectation
from chatscript.report.console import failure_report
from chatscript.report.export import export
from chatscript.results import Capture, Case, CaseResult
from chatscript.runner.capture import add_note, collect
from chatscript.runner.case_runner import RunConfig, StrictReader, build_failure, run_step
from chatscript.runner.context import RunContext, StepFailed, open_context
from chatscript.runner.environment import BotStartFailed, case_environment
from chatscript.runner.simulator_client import SimulatorRefused

Buttons = Sequence[str | Sequence[str]]


class ChatFailed(AssertionError):
    """A line failed; the message is the report."""


@dataclass(slots=True)
class Conversation:
    """A person's conversation with the bot. Every method that runs a line raises `ChatFailed`."""

    name: str
    _context: RunContext
    _phone: PhoneApi = field(init=False)
    _failed: bool = False
    _started: bool = False
    _count: int = 0
    _settings: dict[str, str] = field(default_factory=dict)
    _capture: Capture = field(default_factory=Capture)

    def __post_init__(self) -> None:
        self._phone = PhoneApi(self)

    @property
    def values(self) -> Mapping[str, str]:
        """The values of `{name}`, with the captures so far."""
        return self._context.scope.values

    @property
    def phone(self) -> PhoneApi:
        """The person's phone."""
        return self._phone

    def set(self, **settings: str) -> None:
        """Set environment variables of the bot. Raises `ChatFailed` after the first line."""
        if self._started:
            raise ChatFailed("the bot has started: its environment is set before the first line")
        self._settings |= settings

    def let(self, **values: str) -> None:
        """Set values of `{name}`."""
        self._context.scope.values.update(values)

    # The person.

    async def send(self, text: str = "", *, kind: str = "", forward: bool = False) -> None:
        """Write a text, or send an attachment: `photo`, `sticker`, `voice`, …"""
        special = kind or ("forward" if forward else "")
        await self._play_line(">", text if special or text[:1] not in ("[", "(") else f"\\{text}", kind=special)

    async def edit(self, text: str) -> None:
        """Edit the person's last message."""
        await self._play_line(">", text, kind="edit")

    async def tap(self, label: str, *, nth: int = 0, old: bool = False) -> None:
        """Tap the button of that label; the `nth` of several; `old` means an earlier keyboard."""
        await self.play(f"> {'(old) ' if old else ''}[{label}]{f'@{nth}' if nth else ''}")

    async def forge(self, data: str) -> None:
        """Send a button press with this data, whether or not such a button exists."""
        await self._play_line(">", data, kind="tap")

    # The bot.

    async def expect(self, text: str, *, buttons: Buttons = (), kind: str = "", qr: str = "", file: str = "") -> None:
        """Expect a message. `buttons` are rows; a string is a row of one button, `*` matches any buttons."""
        await self._play_line(
            "<",
            text,
            kind=kind or ("photo" if qr else "document" if file else ""),
            below=_indented_lines(buttons, qr, file),
        )

    async def expect_edit(self, text: str, *, buttons: Buttons = (), kind: str = "", qr: str = "") -> None:
        """Expect an edit: the text and the buttons as they are afterwards."""
        await self._play_line("~", text, kind=kind or ("photo" if qr else ""), below=_indented_lines(buttons, qr, ""))

    async def expect_deleted(self, text: str = "", *, own: bool = False, kind: str = "") -> None:
        """Expect a deletion: of any message, of a message of the bot with that text, or of the person's own."""
        await self._play_line("x >" if own else "x", text, kind=kind)

    async def expect_toast(self, text: str, *, alert: bool = False) -> None:
        """Expect the answer to a press."""
        await self._play_line("!!" if alert else "!", text)

    async def anything(self) -> None:
        """Allow anything up to the next expected event or the person's next line."""
        await self.play("...")

    # Directives.

    async def wait(self, span: str) -> None:
        """Move the clock forward: `90s`, `10m`, `1h30m`."""
        await self.play(f"@wait {span}")

    async def crash(self) -> None:
        """Kill the bot and start it again on the same data."""
        await self.play("@crash")

    async def fail(self, method: str, kind: str, times: int = 1) -> None:
        """Let the next calls of a method fail."""
        await self.play(f"@fail {method} {kind} {times}")

    async def user(self, name: str) -> None:
        """Continue as another person; the first person is `A`."""
        await self.play(f"@user {name}")

    async def play(self, lines: str) -> None:
        """Run any lines of a script."""
        if not self._started:
            await self._start()
        for step in self._parse(lines).steps:
            await self._run_step(step)

    async def read(self) -> list[str]:
        """Wait until the bot is idle; return what it did that no line mentions, as lines that expect it."""
        context = self._context
        await context.listener.wait_idle()
        if not context.environment.alive():
            code = context.environment.exit_code
            raise await self._failure("", StepFailed(f"the bot's process ended with exit code {code}"))
        lines: list[str] = []
        for chat in sorted(context.listener.chats(), key=lambda chat: chat is not context.chat):
            if unread := chat.unread_events():
                lines += [] if chat is context.chat else [context.chat_lines()[chat.id]]
                lines += [line for event in unread for line in write_new_expectation(event, context.scope, ())]
                chat.read_up_to(unread[-1])
        if any(line.startswith("@") and line in context.chat_lines().values() for line in lines):
            lines.append(f"@user {context.person}")
            lines += [context.chat_lines()[context.chat.id]] if context.chat.id < 0 else []
        return lines

    async def draw(self, path: Path) -> None:
        """Draw the chats so far as .html or .png. Raises `OSError` or `BrowserMissing`."""
        await collect(self._capture, self._context)
        await export(path, [CaseResult(self._case(), 0, None, self._capture)])

    async def end(self) -> None:
        """Check that a line mentions every event. Does nothing after a failure."""
        if not self._failed and self._started:
            try:
                await StrictReader().finish(self._context)
            except StepFailed as problem:
                raise await self._failure("", problem) from None

    async def _play_line(self, mark: str, text: str, *, kind: str = "", below: Sequence[str] = ()) -> None:
        first, *rest = text.split("\n")
        prefix = f"({kind}) " if kind else ""
        await self.play("\n".join([f"{mark} {prefix}{first}".rstrip(), *(f"    | {line}" for line in rest), *below]))

    async def _start(self) -> None:
        self._started = True
        try:
            await self._context.environment.start(self._settings)
        except BotStartFailed as error:
            raise await self._failure("", StepFailed(str(error))) from None

    async def _run_step(self, step: steps.AnyStep) -> None:
        self._count += 1
        try:
            if isinstance(step, steps.SwitchPerson):
                await self._context.add_person(step.name)
            await add_note(self._capture, self._context, step)
            if isinstance(step, steps.Expectation):
                await StrictReader().expect_step(self._context, self._count, step)
            else:
                await run_step(self._context, step)
        except StepFailed as problem:
            raise await self._failure(step.source, problem) from None
        except SimulatorRefused as error:
            raise await self._failure(step.source, StepFailed(str(error))) from None

    def _parse(self, lines: str) -> Script:
        scope = self._context.scope

        def check(script: Script) -> list[SyntaxProblem]:
            return find_key_problems(script, scope.bot_texts, scope.language, DEFAULT_LANGUAGE)

        try:
            return parser.parse_script(lines, self.name, check, known=scope.values, people=scope.people)
        except parser.ScriptErrors as error:
            self._failed = True
            raise ChatFailed(str(error)) from None

    async def _failure(self, source: str, problem: StepFailed) -> ChatFailed:
        self._failed = True
        location = SourceLocation(self.name, self._count)
        failure = await build_failure(self._context, location, source, problem, self._capture.notes)
        return ChatFailed(failure_report(CaseResult(self._case(), time.monotonic(), failure)))

    def _case(self) -> Case:
        return Case(Script(self.name, self.name, ({},), (), ()), {}, self._context.scope.language, self.name)


@dataclass(frozen=True, slots=True)
class PhoneApi:
    """The person's phone."""

    _conversation: Conversation

    async def scan(self, app: str, address: str = "") -> None:
        """Open the last QR code of this chat, or an address, in `wechat`, `qq`, `browser` or as a `robot`."""
        await self._conversation.play(f"@scan {app} {address}".rstrip())

    async def press(self, label: str) -> None:
        """Press a button or follow a link."""
        await self._conversation.play(f"@press {label}")

    async def tick(self, label: str) -> None:
        """Tick a box."""
        await self._conversation.play(f"@tick {label}")

    async def choose(self, label: str) -> None:
        """Choose an option."""
        await self._conversation.play(f"@choose {label}")

    async def reload(self) -> None:
        """Load the page again."""
        await self._conversation.play("@reload")

    async def shows(self, text: str) -> None:
        """Expect the text somewhere on the page."""
        await self._conversation.play(f"@page {text}")

    async def hides(self, text: str) -> None:
        """Expect the text nowhere on the page."""
        await self._conversation.play(f"@page! {text}")


@asynccontextmanager
async def open_conversation(
    config: RunConfig, name: str, language: str = DEFAULT_LANGUAGE
) -> AsyncIterator[Conversation]:
    """Open a conversation with a simulator and a bot of its own; `name` is shown in reports."""
    async with (
        case_environment(config.launcher, config.timing, config.extra_environment, record_states=True) as environment,
        AsyncExitStack() as closing,
    ):
        context = await open_context(
            environment,
            config.bot_texts,
            people=(steps.FIRST_PERSON,),
            language=language,
            values={},
            exit_stack=closing,
        )
        yield Conversation(name, context)


def _indented_lines(buttons: Buttons, qr: str, file: str) -> list[str]:
    rows = [[row] if isinstance(row, str) else row for row in buttons]
    keyboard = " / ".join(" ".join(f"[{label}]" for label in row) for row in rows)
    details = (f"qr: {qr}" if qr else "", f"file: {file}" if file else "")
    return [f"    {line}" for line in (keyboard, *details) if line]
