"""The typed steps of a chat script: what the grammar reads and the player performs.

Every step knows its place in the file and its own line, so that any failure can point at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chatscript.language.patterns import ExpectedText, KeyboardPattern, MessagePattern, SourceLocation, TextPattern
from playground.phone.apps import Gesture, PhoneApp


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """What every line of a script has."""

    location: SourceLocation
    source: str


# What the person does.


@dataclass(frozen=True, slots=True)
class WriteText(ScriptStep):
    """`> text`; also forwarded, or an edit of the person's last message."""

    text: TextPattern
    forward: bool = False
    edit: bool = False


@dataclass(frozen=True, slots=True)
class SendAttachment(ScriptStep):
    """`> (sticker)`: something else than a text."""

    kind: str
    caption: TextPattern


@dataclass(frozen=True, slots=True)
class TapButton(ScriptStep):
    """`> [Label]`; `nth` or `cell` (row, column) choose among equal labels, `old` means an earlier keyboard."""

    label: TextPattern
    nth: int | None = None
    cell: tuple[int, int] | None = None
    old: bool = False


@dataclass(frozen=True, slots=True)
class ForgedPress(ScriptStep):
    """`> (tap) data`: a press that no button offers."""

    data: TextPattern


@dataclass(frozen=True, slots=True)
class TypeInlineQuery(ScriptStep):
    """`>> words`: types something behind the bot's name, in the chat where the script is."""

    text: TextPattern


@dataclass(frozen=True, slots=True)
class ChooseInlineResult(ScriptStep):
    """`>> [Title]`: chooses a result, or the button above them; `nth` chooses among equal titles."""

    title: TextPattern
    nth: int | None = None


UserStep = WriteText | SendAttachment | TapButton | ForgedPress | TypeInlineQuery | ChooseInlineResult

# What the bot must do.


class MessageMark(StrEnum):
    """The two marks that carry a whole message."""

    MESSAGE = "<"
    EDIT = "~"


@dataclass(frozen=True, slots=True)
class ExpectMessage(ScriptStep):
    """`<` a message, `~` an edit."""

    mark: MessageMark
    content: MessagePattern


@dataclass(frozen=True, slots=True)
class ExpectDeleted(ScriptStep):
    """`x`: a deletion; `own` tells whose message it was, None when the script does not say."""

    own: bool | None
    content: MessagePattern | None


@dataclass(frozen=True, slots=True)
class ExpectToast(ScriptStep):
    """`!` a toast, `!!` an alert."""

    alert: bool
    text: ExpectedText


@dataclass(frozen=True, slots=True)
class ExpectInlineResults(ScriptStep):
    """`<<`: the titles of the results; the button above them is a row of its own."""

    results: KeyboardPattern


@dataclass(frozen=True, slots=True)
class ExpectLeft(ScriptStep):
    """`@left`: the bot leaves the group."""


@dataclass(frozen=True, slots=True)
class AllowAnything(ScriptStep):
    """`...` alone: whatever the bot does here is fine."""


@dataclass(frozen=True, slots=True)
class ExpectState(ScriptStep):
    """`@expect-state NAME`: where the bot says that it is, in its own words."""

    name: str


Expectation = ExpectMessage | ExpectDeleted | ExpectToast | ExpectInlineResults | ExpectLeft

# What happens around the chat.


@dataclass(frozen=True, slots=True)
class SwitchLanguage(ScriptStep):
    """`@lang CODE` changes the person's Telegram client; `@texts CODE` only which catalogue `{t:}` reads."""

    code: str
    client: bool


@dataclass(frozen=True, slots=True)
class SwitchPerson(ScriptStep):
    """`@user B`: the following lines are B's private chat."""

    name: str


@dataclass(frozen=True, slots=True)
class SwitchToGroup(ScriptStep):
    """`@group`: the following lines are the group; the person stays the same."""


@dataclass(frozen=True, slots=True)
class SwitchToPrivateChat(ScriptStep):
    """`@private`: back to the person's private chat."""


@dataclass(frozen=True, slots=True)
class AdvanceClock(ScriptStep):
    """`@wait 10m`: moves the bot's clock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CrashBot(ScriptStep):
    """`@crash`: kill -9 and start again."""


@dataclass(frozen=True, slots=True)
class SetBlocked(ScriptStep):
    """`@block`, `@unblock`: the person blocks the bot, or lets it write again."""

    blocked: bool


@dataclass(frozen=True, slots=True)
class DuplicateUpdate(ScriptStep):
    """`@duplicate`: the next update reaches the bot twice."""


@dataclass(frozen=True, slots=True)
class InjectFault(ScriptStep):
    """`@fail METHOD KIND [n]`: the next n calls of that method go wrong in that way."""

    method: str
    kind: str
    times: int
    retry_after: int | None = None


Directive = (
    SwitchLanguage
    | SwitchPerson
    | SwitchToGroup
    | SwitchToPrivateChat
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
    """`@press`, `@tick`, `@choose`: the control with that label."""

    gesture: Gesture
    label: TextPattern


@dataclass(frozen=True, slots=True)
class ExpectPageText(ScriptStep):
    """`@page text`: the page shows it somewhere; `@page! text`: it does not."""

    text: ExpectedText
    absent: bool


@dataclass(frozen=True, slots=True)
class ExpectPageStatus(ScriptStep):
    """`@status 404`: how the page was answered."""

    code: int


@dataclass(frozen=True, slots=True)
class ReloadPage(ScriptStep):
    """`@reload`: fetches the page again."""


PhoneStep = OpenInApp | PhoneGesture | ExpectPageText | ExpectPageStatus | ReloadPage
AnyStep = UserStep | Expectation | AllowAnything | ExpectState | Directive | PhoneStep


@dataclass(frozen=True, slots=True)
class BotSetting:
    """`@set NAME=VALUE`: the bot's environment in this script."""

    name: str
    value: TextPattern


@dataclass(frozen=True, slots=True)
class Script:
    """One file: its title, the table of its cases, its settings and its steps."""

    file: str
    title: str
    cases: tuple[Mapping[str, str], ...]
    settings: tuple[BotSetting, ...]
    steps: tuple[AnyStep, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone in it, the first person first."""
        named = [step.name for step in self.steps if isinstance(step, SwitchPerson)]
        return tuple(dict.fromkeys([FIRST_PERSON, *named]))


FIRST_PERSON = "A"
