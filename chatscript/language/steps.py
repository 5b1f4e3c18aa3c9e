"""The typed steps of a script: the parser makes them, the runner executes them.

Every step has its location in the file and its source line, so that a failure can point to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chatscript.language.patterns import ExpectedText, KeyboardPattern, MessagePattern, SourceLocation, TextPattern
from playground.phone.apps import Gesture, PhoneApp


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """The parts that all steps have."""

    location: SourceLocation
    source: str


# The person's steps.


@dataclass(frozen=True, slots=True)
class WriteText(ScriptStep):
    """`> text`: writes; `> (forward)`, `> (edit)` the person's last message, `> (reply)` to the bot's newest one."""

    text: TextPattern
    forward: bool = False
    edit: bool = False
    reply: bool = False


@dataclass(frozen=True, slots=True)
class SendAttachment(ScriptStep):
    """`> (photo) caption`: sends something else; a line `file: NAME` below is read from the folder of the script."""

    kind: str
    caption: TextPattern
    file: TextPattern | None = None


@dataclass(frozen=True, slots=True)
class React(ScriptStep):
    """`> (react) 👍`: a reaction to the bot's newest message; without an emoji it is taken back."""

    emoji: TextPattern


@dataclass(frozen=True, slots=True)
class TapButton(ScriptStep):
    """`> [Label]`: presses; `@2` or `@row.column` chooses among equal labels, `> (old)` among earlier keyboards."""

    label: TextPattern
    nth: int | None = None
    cell: tuple[int, int] | None = None
    old: bool = False


@dataclass(frozen=True, slots=True)
class ForgedPress(ScriptStep):
    """`> (tap) data`: a button press with data of the tester's choice."""

    data: TextPattern


@dataclass(frozen=True, slots=True)
class TypeInlineQuery(ScriptStep):
    """`>> words`: types an inline query in the current chat."""

    text: TextPattern


@dataclass(frozen=True, slots=True)
class ChooseInlineResult(ScriptStep):
    """`>> [Title]`: chooses an inline result, or the button above the results; `@2` chooses among equal titles."""

    title: TextPattern
    nth: int | None = None


UserStep = WriteText | SendAttachment | React | TapButton | ForgedPress | TypeInlineQuery | ChooseInlineResult

# What the bot is expected to do.


class MessageMark(StrEnum):
    """The two marks of a whole message."""

    MESSAGE = "<"
    EDIT = "~"


@dataclass(frozen=True, slots=True)
class ExpectMessage(ScriptStep):
    """`<` a message, `~` an edit; `<?` and `~?` may be missing."""

    mark: MessageMark
    content: MessagePattern
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ForbidMessage(ScriptStep):
    """`<!`, `~!`: since a person did something here, no such message or edit has come; buttons count when written."""

    mark: MessageMark
    content: MessagePattern


@dataclass(frozen=True, slots=True)
class ExpectDeleted(ScriptStep):
    """`x`: a deletion; `x text` of a message of the bot, `x > text` of the person's own."""

    own: bool | None
    content: MessagePattern | None


@dataclass(frozen=True, slots=True)
class ExpectToast(ScriptStep):
    """`!` a toast, `!!` an alert."""

    alert: bool
    text: ExpectedText


@dataclass(frozen=True, slots=True)
class ExpectInlineResults(ScriptStep):
    """`<<`: the titles of the inline results; the button above them is a row of its own."""

    results: KeyboardPattern


@dataclass(frozen=True, slots=True)
class ExpectLeft(ScriptStep):
    """`@left`: the bot leaves the group."""


class MarkKind(StrEnum):
    """What the bot does with a message besides editing it."""

    REACTED = "reaction"
    PINNED = "pin"
    UNPINNED = "unpin"


@dataclass(frozen=True, slots=True)
class ExpectMark(ScriptStep):
    """`@reacted 👍`, `@pinned`, `@unpinned`: the bot reacts to a message, pins or unpins one."""

    kind: MarkKind
    emoji: TextPattern | None = None


@dataclass(frozen=True, slots=True)
class AllowAnything(ScriptStep):
    """`...` alone: the bot may do anything here."""


@dataclass(frozen=True, slots=True)
class ExpectState(ScriptStep):
    """`@expect-state NAME`: the state of the dialogue, in the bot's own words."""

    name: str


OneExpectation = ExpectMessage | ExpectDeleted | ExpectToast | ExpectInlineResults | ExpectLeft | ExpectMark


@dataclass(frozen=True, slots=True)
class ExpectInAnyOrder(ScriptStep):
    """`@any-order`: the lines below it may come in any order."""

    expected: tuple[OneExpectation, ...]


Expectation = OneExpectation | ExpectInAnyOrder

# Directives.


@dataclass(frozen=True, slots=True)
class SwitchLanguage(ScriptStep):
    """`@lang CODE` changes the person's Telegram client; `@texts CODE` only the language of `{t:}`."""

    code: str
    client: bool


@dataclass(frozen=True, slots=True)
class SwitchPerson(ScriptStep):
    """`@user B`: the following lines are in B's private chat."""

    name: str


@dataclass(frozen=True, slots=True)
class ChangePerson(ScriptStep):
    """`@me username=xiaoming phone=+86…`: the person's own name, username or phone number."""

    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetPatience(ScriptStep):
    """`@patience 30s`: the bot may think that long from now on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SwitchToGroup(ScriptStep):
    """`@group`, `@group 家人`, `@channel 新闻`: the following lines are there; the person stays the same."""

    title: str
    channel: bool


@dataclass(frozen=True, slots=True)
class ChangeRole(ScriptStep):
    """`@role left`: the person's role in the current group from now on; `@bot-role` is the bot's."""

    role: str
    bot: bool


@dataclass(frozen=True, slots=True)
class SwitchToPrivateChat(ScriptStep):
    """`@private`: back to the person's private chat."""


@dataclass(frozen=True, slots=True)
class AdvanceClock(ScriptStep):
    """`@wait 10m`: moves the clocks of the bot and the simulator forward."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CrashBot(ScriptStep):
    """`@crash`: kills the bot's process with SIGKILL and starts it again."""


@dataclass(frozen=True, slots=True)
class SetBlocked(ScriptStep):
    """`@block`, `@unblock`: the person blocks or unblocks the bot."""

    blocked: bool


@dataclass(frozen=True, slots=True)
class DuplicateUpdate(ScriptStep):
    """`@duplicate`: the next update reaches the bot twice."""


@dataclass(frozen=True, slots=True)
class InjectFault(ScriptStep):
    """`@fail METHOD KIND [n]`: the next n calls of that method fail in that way."""

    method: str
    kind: str
    times: int
    retry_after: int | None = None


Directive = (
    SwitchLanguage
    | SwitchPerson
    | SwitchToGroup
    | SwitchToPrivateChat
    | ChangeRole
    | ChangePerson
    | SetPatience
    | SetBlocked
    | AdvanceClock
    | CrashBot
    | DuplicateUpdate
    | InjectFault
)

# The phone.


@dataclass(frozen=True, slots=True)
class OpenInApp(ScriptStep):
    """`@scan wechat [address]`: opens the last QR code, or that address, in the app."""

    app: PhoneApp
    address: TextPattern | None


@dataclass(frozen=True, slots=True)
class PhoneGesture(ScriptStep):
    """`@press LABEL`, `@tick LABEL`, `@choose LABEL`: a control of the page."""

    gesture: Gesture
    label: TextPattern


@dataclass(frozen=True, slots=True)
class ExpectPageText(ScriptStep):
    """`@page text`: the page shows the text somewhere; `@page! text`: it does not."""

    text: ExpectedText
    absent: bool


@dataclass(frozen=True, slots=True)
class ExpectPageStatus(ScriptStep):
    """`@status 404`: the HTTP status of the page."""

    code: int


@dataclass(frozen=True, slots=True)
class ReloadPage(ScriptStep):
    """`@reload`: loads the page again."""


PhoneStep = OpenInApp | PhoneGesture | ExpectPageText | ExpectPageStatus | ReloadPage
AnyStep = UserStep | Expectation | ForbidMessage | AllowAnything | ExpectState | Directive | PhoneStep


@dataclass(frozen=True, slots=True)
class BotSetting:
    """`@set NAME=VALUE`: the bot's environment in this script."""

    name: str
    value: TextPattern


@dataclass(frozen=True, slots=True)
class Script:
    """One file: its title, its cases, its settings and its steps."""

    file: str
    title: str
    cases: tuple[Mapping[str, str], ...]
    settings: tuple[BotSetting, ...]
    steps: tuple[AnyStep, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """The names of all people in the script, the first person first."""
        named = [step.name for step in self.steps if isinstance(step, SwitchPerson)]
        return tuple(dict.fromkeys([FIRST_PERSON, *named]))


FIRST_PERSON = "A"
