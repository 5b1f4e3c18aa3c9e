"""The typed steps of a chat script: what the grammar reads and the player performs.

Every step knows its place in the file and its own line, so that any failure can point at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chatscript.language.patterns import Content, Keyboard, Place, Text, Wanted
from playground.phone.apps import App, Control


@dataclass(frozen=True, slots=True)
class Step:
    """What every line of a script has."""

    place: Place
    source: str


# What the person does.


@dataclass(frozen=True, slots=True)
class Write(Step):
    """`> text`; also forwarded, or an edit of the person's last message."""

    text: Text
    forward: bool = False
    edit: bool = False


@dataclass(frozen=True, slots=True)
class Send(Step):
    """`> (sticker)`: something else than a text."""

    kind: str
    caption: Text


@dataclass(frozen=True, slots=True)
class Tap(Step):
    """`> [Label]`; `nth` or `cell` (row, column) choose among equal labels, `old` means an earlier keyboard."""

    label: Text
    nth: int | None = None
    cell: tuple[int, int] | None = None
    old: bool = False


@dataclass(frozen=True, slots=True)
class Forge(Step):
    """`> (tap) data`: a press that no button offers."""

    data: Text


@dataclass(frozen=True, slots=True)
class Ask(Step):
    """`>> words`: types something behind the bot's name, in the chat where the script is."""

    text: Text


@dataclass(frozen=True, slots=True)
class Choose(Step):
    """`>> [Title]`: chooses a result, or the button above them; `nth` chooses among equal titles."""

    title: Text
    nth: int | None = None


Action = Write | Send | Tap | Forge | Ask | Choose

# What the bot must do.


class Heard(StrEnum):
    """The two marks that carry a whole message."""

    MESSAGE = "<"
    EDIT = "~"


@dataclass(frozen=True, slots=True)
class Hear(Step):
    """`<` a message, `~` an edit."""

    how: Heard
    content: Content


@dataclass(frozen=True, slots=True)
class Vanish(Step):
    """`x`: a deletion; `own` tells whose message it was, None when the script does not say."""

    own: bool | None
    content: Content | None


@dataclass(frozen=True, slots=True)
class Toast(Step):
    """`!` a toast, `!!` an alert."""

    alert: bool
    text: Wanted


@dataclass(frozen=True, slots=True)
class Offer(Step):
    """`<<`: the titles of the results; the button above them is a row of its own."""

    results: Keyboard


@dataclass(frozen=True, slots=True)
class Leave(Step):
    """`@left`: the bot leaves the group."""


@dataclass(frozen=True, slots=True)
class Anything(Step):
    """`...` alone: whatever the bot does here is fine."""


@dataclass(frozen=True, slots=True)
class State(Step):
    """`@expect-state NAME`: where the bot says that it is, in its own words."""

    name: str


Expectation = Hear | Vanish | Toast | Offer | Leave

# What happens around the chat.


@dataclass(frozen=True, slots=True)
class Language(Step):
    """`@lang CODE` changes the person's Telegram client; `@texts CODE` only which catalogue `{t:}` reads."""

    code: str
    client: bool


@dataclass(frozen=True, slots=True)
class Person(Step):
    """`@user B`: the following lines are B's private chat."""

    name: str


@dataclass(frozen=True, slots=True)
class Group(Step):
    """`@group`: the following lines are the group; the person stays the same."""


@dataclass(frozen=True, slots=True)
class Private(Step):
    """`@private`: back to the person's private chat."""


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """`@wait 10m`: moves the bot's clock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Crash(Step):
    """`@crash`: kill -9 and start again."""


@dataclass(frozen=True, slots=True)
class Block(Step):
    """`@block`, `@unblock`: the person blocks the bot, or lets it write again."""

    blocked: bool


@dataclass(frozen=True, slots=True)
class Duplicate(Step):
    """`@duplicate`: the next update reaches the bot twice."""


@dataclass(frozen=True, slots=True)
class Fail(Step):
    """`@fail METHOD KIND [n]`: the next n calls of that method go wrong in that way."""

    method: str
    kind: str
    times: int
    retry_after: int | None = None


Directive = Language | Person | Group | Private | Block | Wait | Crash | Duplicate | Fail

# The phone.


@dataclass(frozen=True, slots=True)
class Scan(Step):
    """`@scan wechat [address]`: opens the last QR code, or that address, in the app."""

    app: App
    address: Text | None


@dataclass(frozen=True, slots=True)
class Touch(Step):
    """`@press`, `@tick`, `@choose`: the control with that label."""

    control: Control
    label: Text


@dataclass(frozen=True, slots=True)
class Page(Step):
    """`@page text`: the page shows it somewhere; `@page! text`: it does not."""

    text: Wanted
    absent: bool


@dataclass(frozen=True, slots=True)
class Status(Step):
    """`@status 404`: how the page was answered."""

    code: int


@dataclass(frozen=True, slots=True)
class Reload(Step):
    """`@reload`: fetches the page again."""


PhoneStep = Scan | Touch | Page | Status | Reload
AnyStep = Action | Expectation | Anything | State | Directive | PhoneStep


@dataclass(frozen=True, slots=True)
class Setting:
    """`@set NAME=VALUE`: the bot's environment in this script."""

    name: str
    value: Text


@dataclass(frozen=True, slots=True)
class Script:
    """One file: its title, the table of its cases, its settings and its steps."""

    file: str
    title: str
    cases: tuple[Mapping[str, str], ...]
    settings: tuple[Setting, ...]
    steps: tuple[AnyStep, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone in it, the first person first."""
        named = [step.name for step in self.steps if isinstance(step, Person)]
        return tuple(dict.fromkeys([FIRST_PERSON, *named]))


FIRST_PERSON = "A"
