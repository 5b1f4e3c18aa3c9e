"""What a played case left behind for a picture of it: everything that happened in the chats, and what was around it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatscript.language import steps
from chatscript.language.patterns import TextPattern
from chatscript.language.steps import AnyStep
from chatscript.runner.context import RunContext
from chatscript.runner.simulator_client import SimulatorClient

Json = Mapping[str, Any]
_SHOWN_IN_CHAT = (
    steps.SwitchPerson,
    steps.SwitchToGroup,
    steps.SwitchToPrivateChat,
    steps.AllowAnything,
    steps.UserStep,
    steps.Expectation,
)


@dataclass(slots=True)
class Capture:
    """Raw events, with notes of what no chat shows: by the number of the event before them, and in which chat."""

    people: Mapping[int, str] = field(default_factory=dict)
    events: Sequence[Json] = ()
    notes: list[tuple[int, int, str]] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)

    def add_note(self, context: RunContext, step: AnyStep) -> None:
        """Note a line of the phone, or of what happens around the chat."""
        if not isinstance(step, _SHOWN_IN_CHAT):
            heard = context.listener.events
            self.notes.append((heard[-1].seq if heard else 0, context.chat.id, _note_text(context, step)))

    async def collect(self, context: RunContext) -> None:
        """Fetch everything while the playground is still there."""
        self.people = {id: name for name, id in context.scope.people.items()}
        self.events = await context.client.all_events()
        for message in self.final_messages().values():
            if photo := message["photo"]:
                self.pictures[photo["file_id"]] = await _data_url(context.client, photo["file_id"])

    def final_messages(self) -> Mapping[tuple[int, int], Json]:
        """Return every message in its last form, by its chat and its own number."""
        spoken = (event for event in self.events if event["kind"] in ("message", "edit"))
        return {(event["chat"], event["message"]["id"]): event["message"] for event in spoken}


def _note_text(context: RunContext, step: AnyStep) -> str:
    match step:
        case steps.PhoneGesture(label=TextPattern() as words) | steps.ExpectPageText(text=TextPattern() as words):
            return f"{step.source.partition(' ')[0]} {context.scope.render(words)}"
        case _:
            return step.source


async def _data_url(client: SimulatorClient, file: str) -> str:
    kind, content = await client.file(file)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
