"""What the bot must do: compares the event log with the script, strictly and in order."""

from __future__ import annotations

from dataclasses import dataclass

from chatscript.language import steps
from chatscript.language.patterns import MessagePattern
from chatscript.match.chat_view import ChatEvent, MessageView
from chatscript.match.matcher import Captures
from chatscript.match.message_diff import MessageComparison, compare_message, describe_text_difference, match_keyboard
from chatscript.match.transcript import format_event
from chatscript.runner.context import RunContext, StepFailed


@dataclass(frozen=True, slots=True)
class EventComparison:
    """Whether an event is what a line expects; `related` means that it is at least of that sort."""

    differences: tuple[str, ...]
    captures: Captures
    same_kind: bool = True


async def expect_event(context: RunContext, step: steps.Expectation) -> None:
    """Wait for what the line says; raises `Unmet` when something else or nothing comes."""
    while True:
        event = await context.listener.wait_for(
            lambda: _next_unread(context), stop_when_idle=context.expects_prompt_reply
        )
        if event is None:
            raise _nothing_came(context)
        verdict = await compare_event(context, step, event)
        if not verdict.differences:
            context.chat.read_up_to(event)
            context.scope.values.update(verdict.captures)
            context.lenient_chats.discard(context.chat.id)
            return
        if context.chat.id not in context.lenient_chats:
            raise await _something_else(context, step, event, verdict)
        context.chat.read_up_to(event)


async def expect_nothing_more(context: RunContext) -> None:
    """Listen once more at the end: nothing may have happened that the script does not mention."""
    await context.listener.wait_idle()
    for chat in context.listener.chats():
        if chat.id in context.lenient_chats:
            continue
        if unread := chat.unread_events():
            got = [written for event in unread for written in format_event(event) or []]
            notes = [] if chat is context.chat else [f"in {context.name_of(chat)}"]
            raise StepFailed("the script ends here and does not mention this:", got=got, notes=notes)
    if not context.environment.alive():
        raise StepFailed(f"the bot's process ended with exit code {context.environment.exit_code}")


async def expect_state(context: RunContext, step: steps.ExpectState) -> None:
    """Wait until the bot notes that state last; whoever spoke last is the one whose state it is."""
    stage = context.environment
    await context.client.wait_idle(
        context.listener.timing.timeout
    )  # a state of before must not pass for the one of now
    if not await context.listener.wait_for(
        lambda: stage.last_state() == step.name or None, stop_when_idle=context.expects_prompt_reply
    ):
        noted = stage.last_state()
        raise StepFailed(
            f"the bot noted the state {noted} last"
            if noted
            else "the bot notes no states: it appends none to the file that COVERAGE_FILE names"
        )


async def compare_event(context: RunContext, step: steps.Expectation, event: ChatEvent) -> EventComparison:
    """Compare one event with one line."""
    match step, event:
        case steps.ExpectMessage(mark=how, content=content), ChatEvent(
            kind="message" | "edit", message=MessageView() as message
        ):
            verdict = await _compare_message(context, content, message)
            right = "message" if how is steps.MessageMark.MESSAGE else "edit"
            if event.kind == right:
                return verdict
            what = (
                "an edit of an earlier message, not a new one" if right == "message" else "a new message, not an edit"
            )
            return EventComparison((f"it is {what}", *verdict.differences), {})
        case steps.ExpectDeleted(), ChatEvent(kind="delete", before=MessageView() as was):
            return _compare_deletion(context, step, was)
        case steps.ExpectToast(), ChatEvent(kind="toast"):
            verdict = _compare_toast(context, step, event)
        case steps.ExpectInlineResults(results=results), ChatEvent(kind="results", rows=rows):
            found = match_keyboard(results, rows, context.scope)
            verdict = EventComparison(() if found is not None else ("the results differ",), found or {})
        case steps.ExpectLeft(), ChatEvent(kind="left"):
            verdict = EventComparison((), {})
        case _:
            verdict = EventComparison(("it is something else",), {}, same_kind=False)
    return verdict


def _compare_toast(context: RunContext, step: steps.ExpectToast, event: ChatEvent) -> EventComparison:
    found = context.scope.match(step.text, event.text)
    differences = (
        [] if found is not None else [describe_text_difference("the text", step.text, event.text, context.scope)]
    )
    kind = "a toast (!), not an alert (!!)" if step.alert else "an alert (!!), not a toast (!)"
    differences += [] if step.alert == event.alert else [f"it is {kind}"]
    return EventComparison(tuple(differences), found or {})


async def _compare_message(context: RunContext, content: MessagePattern, message: MessageView) -> EventComparison:
    qr = await context.client.read_qr(message.picture) if content.qr and message.picture else None
    compared = compare_message(content, message, context.scope, qr=qr)
    return EventComparison(compared.differences, compared.captures)


def _compare_deletion(context: RunContext, step: steps.ExpectDeleted, was: MessageView) -> EventComparison:
    whose = {True: "the person's own", False: "the bot's"}
    differences = [] if step.own in (None, was.own) else [f"it is {whose[was.own]} message"]
    compared = (
        compare_message(step.content, was, context.scope, buttons=False) if step.content else MessageComparison((), {})
    )
    return EventComparison((*differences, *compared.differences), compared.captures)


def _next_unread(context: RunContext) -> ChatEvent | None:
    return next(iter(context.chat.unread_events()), None)


def _nothing_came(context: RunContext) -> StepFailed:
    if not context.environment.alive():
        return StepFailed(f"the bot's process ended with exit code {context.environment.exit_code}")
    why = "it is idle" if context.expects_prompt_reply else f"waited {context.listener.timing.timeout:g} s"
    others = [chat for chat in context.listener.chats() if chat is not context.chat and chat.unread_events()]
    notes = [f"something that the script does not mention happened in {context.name_of(chat)}" for chat in others]
    return StepFailed(f"the bot did nothing more here ({why})", notes=notes)


async def _something_else(
    context: RunContext, step: steps.Expectation, event: ChatEvent, verdict: EventComparison
) -> StepFailed:
    got = format_event(event) or []
    await context.listener.poll(context.listener.timing.settle)
    for later in context.chat.unread_events()[1:]:
        if not (await compare_event(context, step, later)).differences:
            return StepFailed("the script does not mention what the bot did first:", got=got)
    if not verdict.same_kind:
        return StepFailed("the bot did something else:", got=got)
    return StepFailed("the bot did something different:", got=got, notes=verdict.differences)
