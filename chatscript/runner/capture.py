"""Collects what an HTML report of a case shows, while the case runs."""

from __future__ import annotations

import base64

from chatscript.language import steps
from chatscript.language.patterns import TextPattern
from chatscript.language.steps import AnyStep
from chatscript.results import Capture
from chatscript.runner.context import RunContext
from chatscript.runner.simulator_client import SimulatorClient

_VISIBLE_IN_CHAT = (
    steps.SwitchPerson,
    steps.SwitchToGroup,
    steps.SwitchToPrivateChat,
    steps.AllowAnything,
    steps.UserStep,
    steps.Expectation,
    steps.ForbidMessage,
)


async def add_note(capture: Capture, context: RunContext, step: AnyStep) -> None:
    """Note a step of the phone or a directive, which leave no event in a chat."""
    if not isinstance(step, _VISIBLE_IN_CHAT):
        await context.listener.poll()  # what the bot did before belongs before the note
        events = context.listener.events
        capture.notes.append((events[-1].seq if events else 0, context.chat.id, _note_text(context, step)))


async def collect(capture: Capture, context: RunContext) -> None:
    """Fetch the events and pictures; the simulator must still run."""
    capture.people = {id: name for name, id in context.scope.people.items()}
    capture.events = await context.client.all_events()
    for message in capture.final_messages().values():
        if photo := message["photo"]:
            capture.pictures[photo["file_id"]] = await _data_url(context.client, photo["file_id"])


def _note_text(context: RunContext, step: AnyStep) -> str:
    match step:
        case steps.PhoneGesture(label=TextPattern() as text) | steps.ExpectPageText(text=TextPattern() as text):
            return f"{step.source.partition(' ')[0]} {context.scope.render(text)}"
        case _:
            return step.source


async def _data_url(client: SimulatorClient, file: str) -> str:
    kind, content = await client.file(file)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
