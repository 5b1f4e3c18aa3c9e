"""What a played case left behind for a picture of it: everything that happened in the chats, and what was around it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatscript.language import steps
from chatscript.language.patterns import Text
from chatscript.language.steps import AnyStep
from chatscript.runner.context import Scene
from chatscript.runner.simulator_client import SimClient

Json = Mapping[str, Any]
_UNSEEN = (steps.Person, steps.Group, steps.Private, steps.Anything, steps.Action, steps.Expectation)


@dataclass(slots=True)
class Film:
    """Raw events, with notes of what no chat shows: by the number of the event before them, and in which chat."""

    people: Mapping[int, str] = field(default_factory=dict)
    events: Sequence[Json] = ()
    notes: list[tuple[int, int, str]] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)

    def note(self, scene: Scene, step: AnyStep) -> None:
        """Note a line of the phone, or of what happens around the chat."""
        if not isinstance(step, _UNSEEN):
            heard = scene.listener.events
            self.notes.append((heard[-1].seq if heard else 0, scene.chat.id, _words(scene, step)))

    async def develop(self, scene: Scene) -> None:
        """Fetch everything while the playground is still there."""
        self.people = {id: name for name, id in scene.scope.people.items()}
        self.events = await scene.client.everything()
        for message in self.last().values():
            if photo := message["photo"]:
                self.pictures[photo["file_id"]] = await _as_address(scene.client, photo["file_id"])

    def last(self) -> Mapping[tuple[int, int], Json]:
        """Return every message in its last form, by its chat and its own number."""
        spoken = (event for event in self.events if event["kind"] in ("message", "edit"))
        return {(event["chat"], event["message"]["id"]): event["message"] for event in spoken}


def _words(scene: Scene, step: AnyStep) -> str:
    match step:
        case steps.Touch(label=Text() as words) | steps.Page(text=Text() as words):
            return f"{step.source.partition(' ')[0]} {scene.scope.fill(words)}"
        case _:
            return step.source


async def _as_address(client: SimClient, file: str) -> str:
    kind, content = await client.file(file)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
