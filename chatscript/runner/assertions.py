"""Compares what the bot does with what the script expects, strictly and in order."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatscript.coverage import COVERAGE_VARIABLE
from chatscript.language import steps
from chatscript.language.patterns import MessagePattern, TextPattern
from chatscript.match.chat_view import ChatEvent, MessageView
from chatscript.match.matcher import Captures
from chatscript.match.message_diff import MessageComparison, compare_message, describe_text_difference, match_keyboard
from chatscript.match.transcript import format_event
from chatscript.runner.context import RunContext, StepFailed

_FLOOD = 100  # events that a passage of `...` may have without a limit of its time


@dataclass(frozen=True, slots=True)
class EventComparison:
    """How an event differs from a step. `same_kind` is true when only its content differs."""

    differences: tuple[str, ...]
    captures: Captures
    same_kind: bool = True


async def expect_event(context: RunContext, step: steps.Expectation) -> None:
    """Wait for the event that the step expects. Raises `StepFailed` when another event or none comes."""
    if isinstance(step, steps.ExpectInAnyOrder):
        await _expect_in_any_order(context, step)
        return
    started, passed_over = time.monotonic(), 0
    while True:
        event = context.chat.next_unread() or await context.listener.wait_for(
            context.chat.next_unread, stop_when_idle=context.expects_prompt_reply
        )
        if event is None:
            if is_optional(step):
                return
            raise await _no_event(context)
        comparison = await compare_event(context, step, event)
        if not comparison.differences:
            context.has_read = True
            context.chat.read_up_to(event)
            context.scope.values.update(comparison.captures)
            context.lenient_chats.discard(context.chat.id)
            return
        if is_optional(step):
            return
        if context.chat.id not in context.lenient_chats:
            raise await _other_event(context, step, event, comparison)
        context.chat.read_up_to(event)
        passed_over += 1
        if passed_over > _FLOOD and time.monotonic() - started > context.listener.timing.timeout:
            raise StepFailed(f"the bot did {passed_over} things here, does still more, and none of them is this:")


async def _expect_in_any_order(context: RunContext, step: steps.ExpectInAnyOrder) -> None:
    """Wait for as many events as there are lines, and find one for each line. Raises `StepFailed`."""
    chat, wanted, lenient = context.chat, len(step.expected), context.chat.id in context.lenient_chats
    seen = wanted - 1
    while True:
        enough = await _wait_for_more(context, seen)
        events = chat.unread_events()[: None if lenient else wanted]
        compared = [[await compare_event(context, line, event) for event in events] for line in step.expected]
        found = _assign(compared)
        if len(found) == wanted:
            break
        if not enough or not lenient:
            raise await _not_assigned(context, step, events, found)
        seen = len(events)
    context.has_read = True
    chat.read_up_to(events[max(found)])
    context.lenient_chats.discard(chat.id)
    for number, line in found.items():
        context.scope.values.update(compared[line][number].captures)


async def _wait_for_more(context: RunContext, seen: int) -> bool:
    chat = context.chat
    return bool(
        await context.listener.wait_for(
            lambda: len(chat.unread_events()) > seen or None, stop_when_idle=context.expects_prompt_reply
        )
    )


def _assign(compared: Sequence[Sequence[EventComparison]]) -> dict[int, int]:
    """Give as many lines as possible an event of their own: a maximum bipartite matching by augmenting paths."""
    line_of: dict[int, int] = {}

    def place(line: int, tried: set[int]) -> bool:
        for number, comparison in enumerate(compared[line]):
            if comparison.differences or number in tried:
                continue
            tried.add(number)
            if number not in line_of or place(line_of[number], tried):
                line_of[number] = line
                return True
        return False

    for line in range(len(compared)):
        place(line, set())
    return line_of


async def _not_assigned(
    context: RunContext, step: steps.ExpectInAnyOrder, events: Sequence[ChatEvent], found: Mapping[int, int]
) -> StepFailed:
    missing = [line for number, line in enumerate(step.expected) if number not in found.values()]
    surplus = [event for number, event in enumerate(events) if number not in found]
    headline = "the bot did something that no line here mentions:" if surplus else (await _no_event(context)).headline
    return StepFailed(
        headline,
        got=[line for event in surplus for line in format_event(event) or []],
        notes=[f"this did not come: {line.source}" for line in missing],
    )


async def expect_absent(context: RunContext, step: steps.ForbidMessage) -> None:
    """Wait until the bot is idle. Raises `StepFailed` for such a message since a person last did something here."""
    await context.listener.wait_idle()
    kind = "message" if step.mark is steps.MessageMark.MESSAGE else "edit"
    events = context.chat.events
    first = max((number for number, event in enumerate(events, 1) if event.own), default=0)
    for event in events[first:]:
        if event.kind == kind and event.message is not None:
            buttons = bool(step.content.keyboard.rows)
            compared = await _compare_message(context, step.content, event.message, buttons=buttons)
            if not compared.differences:
                raise StepFailed("the script forbids this, and it came:", got=format_event(event) or [])


def is_optional(step: steps.Expectation) -> bool:
    """Whether the event may be missing."""
    return isinstance(step, steps.ExpectMessage) and step.optional


async def expect_nothing_more(context: RunContext) -> None:
    """Wait until the bot is idle. Raises `StepFailed` for an event that the script does not mention."""
    await context.listener.wait_idle()
    for chat in context.listener.chats():
        if chat.id in context.lenient_chats:
            continue
        if unread := chat.unread_events():
            got = [line for event in unread for line in format_event(event) or []]
            notes = [] if chat is context.chat else [f"in {context.name_of(chat)}"]
            raise StepFailed("the script ends here and does not mention this:", got=got, notes=notes)
    if not context.environment.alive():
        raise StepFailed(f"the bot's process ended with exit code {context.environment.exit_code}")


async def expect_state(context: RunContext, step: steps.ExpectState) -> None:
    """Wait until the last state that the bot wrote is this one. Raises `StepFailed`.

    The bot writes the state of the person who acted last.
    """
    environment = context.environment
    # The bot must have handled everything before, or the state of an earlier turn would match.
    await context.client.wait_idle(context.listener.timing.timeout)
    if not await context.listener.wait_for(
        lambda: environment.last_state() == step.name or None, stop_when_idle=context.expects_prompt_reply
    ):
        state = environment.last_state()
        raise StepFailed(
            f"the bot wrote the state {state} last"
            if state
            else f"the bot writes no states to the file that {COVERAGE_VARIABLE} names"
        )


async def compare_event(context: RunContext, step: steps.Expectation, event: ChatEvent) -> EventComparison:
    """Compare an event with a step."""
    match step, event:
        case steps.ExpectMessage(mark=mark, content=content), ChatEvent(
            kind="message" | "edit", message=MessageView() as message
        ):
            comparison = await _compare_message(context, content, message)
            expected = "message" if mark is steps.MessageMark.MESSAGE else "edit"
            if event.kind == expected:
                return comparison
            actual = (
                "an edit of an earlier message, not a new one"
                if expected == "message"
                else "a new message, not an edit"
            )
            return EventComparison((f"it is {actual}", *comparison.differences), {})
        case steps.ExpectInAnyOrder(expected=lines), _:
            several = [await compare_event(context, line, event) for line in lines]
            return next((one for one in several if not one.differences), several[0])
        case steps.ExpectDeleted(), ChatEvent(kind="delete", before=MessageView() as deleted):
            return _compare_deletion(context, step, deleted)
        case steps.ExpectToast(), ChatEvent(kind="toast"):
            comparison = _compare_toast(context, step, event)
        case steps.ExpectInlineResults(results=results), ChatEvent(kind="results", rows=rows):
            found = match_keyboard(results, rows, context.scope)
            comparison = EventComparison(() if found is not None else ("the results differ",), found or {})
        case steps.ExpectMark(kind=mark, emoji=emoji), ChatEvent(kind=kind) if mark == kind:
            comparison = _compare_mark(context, emoji, event)
        case steps.ExpectLeft(), ChatEvent(kind="left"):
            comparison = EventComparison((), {})
        case _:
            comparison = EventComparison(("it is something else",), {}, same_kind=False)
    return comparison


def _compare_toast(context: RunContext, step: steps.ExpectToast, event: ChatEvent) -> EventComparison:
    found = context.scope.match(step.text, event.text)
    differences = (
        [] if found is not None else [describe_text_difference("the text", step.text, event.text, context.scope)]
    )
    kind = "a toast (!), not an alert (!!)" if step.alert else "an alert (!!), not a toast (!)"
    differences += [] if step.alert == event.alert else [f"it is {kind}"]
    return EventComparison(tuple(differences), found or {})


def _compare_mark(context: RunContext, emoji: TextPattern | None, event: ChatEvent) -> EventComparison:
    expected = emoji or TextPattern("", ())
    found = context.scope.match(expected, event.text)
    differences = () if found is not None else (f"the reaction is {event.text or 'taken back'}",)
    return EventComparison(differences, found or {})


async def _compare_message(
    context: RunContext, content: MessagePattern, message: MessageView, *, buttons: bool = True
) -> EventComparison:
    qr = await context.client.read_qr(message.picture) if content.qr and message.picture else None
    compared = compare_message(content, message, context.scope, qr=qr, buttons=buttons)
    return EventComparison(compared.differences, compared.captures)


def _compare_deletion(context: RunContext, step: steps.ExpectDeleted, deleted: MessageView) -> EventComparison:
    whose = {True: "the person's own", False: "the bot's"}
    differences = [] if step.own in (None, deleted.own) else [f"it is {whose[deleted.own]} message"]
    compared = (
        compare_message(step.content, deleted, context.scope, buttons=False)
        if step.content
        else MessageComparison((), {})
    )
    return EventComparison((*differences, *compared.differences), compared.captures)


async def _no_event(context: RunContext) -> StepFailed:
    if not context.environment.alive():
        return StepFailed(f"the bot's process ended with exit code {context.environment.exit_code}")
    reason, hint = f"waited {context.listener.timing.timeout:g} s", []
    if not await context.client.wait_idle(0):
        reason += "; it is busy: it has not asked for more updates since, or a call of it is under way"
        hint = ["if it only needs longer: @patience 30s, or --patience 30"]
    elif context.expects_prompt_reply:
        reason = "it is idle"
    others = [chat for chat in context.listener.chats() if chat is not context.chat and chat.unread_events()]
    notes = [f"the script does not mention what happened in {context.name_of(chat)}" for chat in others]
    return StepFailed(f"the bot did nothing more here ({reason})", notes=[*notes, *hint])


async def _other_event(
    context: RunContext, step: steps.Expectation, event: ChatEvent, comparison: EventComparison
) -> StepFailed:
    got = format_event(event) or []
    await context.listener.poll(context.listener.timing.settle)
    for later in context.chat.unread_events()[1:]:
        if not (await compare_event(context, step, later)).differences:
            return StepFailed("the script does not mention what the bot did first:", got=got)
    if not comparison.same_kind:
        return StepFailed("the bot did something else:", got=got)
    return StepFailed("the bot did something different:", got=got, notes=comparison.differences)
