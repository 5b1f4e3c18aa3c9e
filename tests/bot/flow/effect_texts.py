"""Reads effects: their strings, their buttons, their texts."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import fields

from bot.flow.effects import (
    AskQuestion,
    Button,
    CheckQuota,
    ChoiceButton,
    DeleteUserMessage,
    EditCaption,
    Effect,
    OpenAttempt,
    RecordAnswer,
    RemoveButtons,
    ReplaceCodeWithPicture,
    Reply,
    Rows,
    SendText,
    Sensitive,
    ShowCode,
    Values,
)
from bot.flow.events import Choice
from bot.flow.rows import Step
from verification.record import Record

Texted = AskQuestion | ShowCode | EditCaption | ReplaceCodeWithPicture | RecordAnswer | SendText


def strings(value: object) -> Iterator[str]:
    """Every string inside a value, at any depth, but those that a person is asked to check."""
    match value:
        case Sensitive():
            pass
        case str():
            yield value
        case Mapping():
            for key, inner in value.items():
                yield from strings(key)
                yield from strings(inner)
        case tuple():
            for inner in value:
                yield from strings(inner)
        case Record():
            for field in fields(value):
                yield from strings(getattr(value, field.name))
        case _:
            pass


def exposed(step: Step) -> list[Effect]:
    """The effects that may reach a screen or a log: all but the requests to the core, which must hold the identity."""
    return [effect for effect in step.effects if not isinstance(effect, OpenAttempt | CheckQuota)]


def visible(step: Step) -> list[Reply]:
    """The replies that a person sees."""
    return [
        effect
        for effect in step.effects
        if isinstance(effect, Reply) and not isinstance(effect, DeleteUserMessage | RemoveButtons)
    ]


def buttons(effect: Effect) -> list[Button]:
    """The buttons of a reply, in reading order."""
    rows: Rows = getattr(effect, "rows", ())
    return [button for row in rows for button in row]


def choices_in(effect: Effect) -> tuple[Choice, ...]:
    """The choices of a reply's buttons, in reading order."""
    return tuple(button.choice for button in buttons(effect) if isinstance(button, ChoiceButton))


def texts_in(effect: Effect) -> Iterator[tuple[str, Values]]:
    """The text keys of an effect, each with its values."""
    values: Values = getattr(effect, "values", {})
    for name in ("text", "note"):
        key = getattr(effect, name, None)
        if key is not None:
            yield key, values


def caption_in(effect: Effect) -> Iterator[tuple[str, Values]]:
    """The text key of the picture that a code before this question becomes, with its values."""
    if isinstance(effect, AskQuestion) and effect.closed_code is not None:
        yield effect.closed_code.text, effect.closed_code.values


def deletes(effects: Iterable[Effect]) -> bool:
    """Whether the person's message is deleted."""
    return any(isinstance(effect, DeleteUserMessage) for effect in effects)
