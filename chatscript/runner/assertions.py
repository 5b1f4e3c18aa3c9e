"""What the bot must do: compares the event log with the script, strictly and in order."""

from __future__ import annotations

from dataclasses import dataclass

from chatscript.language import steps
from chatscript.language.patterns import Content
from chatscript.match.chat_view import Event, Message
from chatscript.match.matcher import Captures
from chatscript.match.message_diff import Compared, compare, keyboard_captures, text_differs
from chatscript.match.transcript import line
from chatscript.runner.context import Scene, Unmet


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event is what a line expects; `related` means that it is at least of that sort."""

    differences: tuple[str, ...]
    captures: Captures
    related: bool = True


async def expect(scene: Scene, step: steps.Expectation) -> None:
    """Wait for what the line says; raises `Unmet` when something else or nothing comes."""
    while True:
        event = await scene.listener.until(lambda: _next(scene), hurried=scene.hurried)
        if event is None:
            raise _nothing_came(scene)
        verdict = await judge(scene, step, event)
        if not verdict.differences:
            scene.chat.read_up_to(event)
            scene.scope.values.update(verdict.captures)
            scene.skipping.discard(scene.chat.id)
            return
        if scene.chat.id not in scene.skipping:
            raise await _something_else(scene, step, event, verdict)
        scene.chat.read_up_to(event)


async def expect_nothing_more(scene: Scene) -> None:
    """Listen once more at the end: nothing may have happened that the script does not mention."""
    await scene.listener.quiet()
    for chat in scene.listener.chats():
        if chat.id in scene.skipping:
            continue
        if unread := chat.unread():
            got = [written for event in unread for written in line(event) or []]
            notes = [] if chat is scene.chat else [f"in {scene.name_of(chat)}"]
            raise Unmet("the script ends here and does not mention this:", got=got, notes=notes)
    if not scene.stage.alive():
        raise Unmet(f"the bot's process ended with exit code {scene.stage.exit_code}")


async def expect_state(scene: Scene, step: steps.State) -> None:
    """Wait until the bot notes that state last; whoever spoke last is the one whose state it is."""
    stage = scene.stage
    await scene.client.idle(scene.listener.timing.patience)  # a state of before must not pass for the one of now
    if not await scene.listener.until(lambda: stage.state() == step.name or None, hurried=scene.hurried):
        noted = stage.state()
        raise Unmet(
            f"the bot noted the state {noted} last"
            if noted
            else "the bot notes no states: it appends none to the file that COVERAGE_FILE names"
        )


async def judge(scene: Scene, step: steps.Expectation, event: Event) -> Verdict:
    """Compare one event with one line."""
    match step, event:
        case steps.Hear(how=how, content=content), Event(kind="message" | "edit", message=Message() as message):
            verdict = await _judge_message(scene, content, message)
            right = "message" if how is steps.Heard.MESSAGE else "edit"
            if event.kind == right:
                return verdict
            what = (
                "an edit of an earlier message, not a new one" if right == "message" else "a new message, not an edit"
            )
            return Verdict((f"it is {what}", *verdict.differences), {})
        case steps.Vanish(), Event(kind="delete", was=Message() as was):
            return _judge_deletion(scene, step, was)
        case steps.Toast(), Event(kind="toast"):
            verdict = _judge_toast(scene, step, event)
        case steps.Offer(results=results), Event(kind="results", rows=rows):
            found = keyboard_captures(results, rows, scene.scope)
            verdict = Verdict(() if found is not None else ("the results differ",), found or {})
        case steps.Leave(), Event(kind="left"):
            verdict = Verdict((), {})
        case _:
            verdict = Verdict(("it is something else",), {}, related=False)
    return verdict


def _judge_toast(scene: Scene, step: steps.Toast, event: Event) -> Verdict:
    found = scene.scope.match(step.text, event.text)
    differences = [] if found is not None else [text_differs("the text", step.text, event.text, scene.scope)]
    kind = "a toast (!), not an alert (!!)" if step.alert else "an alert (!!), not a toast (!)"
    differences += [] if step.alert == event.alert else [f"it is {kind}"]
    return Verdict(tuple(differences), found or {})


async def _judge_message(scene: Scene, content: Content, message: Message) -> Verdict:
    qr = await scene.client.qr(message.picture) if content.qr and message.picture else None
    compared = compare(content, message, scene.scope, qr=qr)
    return Verdict(compared.differences, compared.captures)


def _judge_deletion(scene: Scene, step: steps.Vanish, was: Message) -> Verdict:
    whose = {True: "the person's own", False: "the bot's"}
    differences = [] if step.own in (None, was.own) else [f"it is {whose[was.own]} message"]
    compared = compare(step.content, was, scene.scope, buttons=False) if step.content else Compared((), {})
    return Verdict((*differences, *compared.differences), compared.captures)


def _next(scene: Scene) -> Event | None:
    return next(iter(scene.chat.unread()), None)


def _nothing_came(scene: Scene) -> Unmet:
    if not scene.stage.alive():
        return Unmet(f"the bot's process ended with exit code {scene.stage.exit_code}")
    why = "it is idle" if scene.hurried else f"waited {scene.listener.timing.patience:g} s"
    others = [chat for chat in scene.listener.chats() if chat is not scene.chat and chat.unread()]
    notes = [f"something that the script does not mention happened in {scene.name_of(chat)}" for chat in others]
    return Unmet(f"the bot did nothing more here ({why})", notes=notes)


async def _something_else(scene: Scene, step: steps.Expectation, event: Event, verdict: Verdict) -> Unmet:
    got = line(event) or []
    await scene.listener.look(scene.listener.timing.settle)
    for later in scene.chat.unread()[1:]:
        if not (await judge(scene, step, later)).differences:
            return Unmet("the script does not mention what the bot did first:", got=got)
    if not verdict.related:
        return Unmet("the bot did something else:", got=got)
    return Unmet("the bot did something different:", got=got, notes=verdict.differences)
