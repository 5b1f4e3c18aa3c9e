"""The control API (/sim): the actions of people in the chats, the clock, and injected faults."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from playground.botapi.faults import Fault, FaultKind, FaultQueue
from playground.server.control_request import ControlRequest, path_number, read_control_request, sim_route
from playground.world import choices, inline_choice, membership, serializers, user_actions
from playground.world.attachments import make_attachment
from playground.world.errors import ActionRefused, BadControlRequest, UnknownId
from playground.world.files import read_qr_code
from playground.world.records import Chat, ChatType, InlineButton, Message, Person, StoredFile
from playground.world.world import World

MAX_NAME = 64
MAX_TITLE = 128
MAX_QUERY = 256
_WITHOUT_CAPTION = frozenset({"web_app_data"})
_OWN_FACTS = ("first_name", "last_name", "language_code", "username", "phone_number")
SHOWN_TYPES = frozenset({"image/jpeg", "image/webp"})


class ControlApi:
    """The people's side of the simulator."""

    def __init__(self, world: World, faults: FaultQueue) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        """Return the routes of people, chats, files, the clock and faults."""
        message = "/chats/{chat}/messages/{id}"
        return [
            sim_route("/users", self.list_people),
            sim_route("/users", self.add_person, "POST"),
            sim_route("/users/{id}", self.change_person, "PATCH"),
            sim_route("/chats", self.add_chat, "POST"),
            sim_route("/chats/{chat}/roles", self.set_role, "POST"),
            sim_route("/chats/{chat}/messages", self.messages),
            sim_route("/chats/{chat}/messages", self.write, "POST"),
            sim_route("/chats/{chat}/inline", self.type_inline_query, "POST"),
            sim_route("/chats/{chat}/inline/choose", self.choose_inline_result, "POST"),
            sim_route(f"{message}/edit", self.edit, "POST"),
            sim_route(f"{message}/tap", self.tap, "POST"),
            sim_route(f"{message}/react", self.react, "POST"),
            sim_route("/files/{id}", self.file),
            sim_route("/files/{id}/qr", self.qr),
            sim_route("/clock", self.advance_clock, "POST"),
            sim_route("/faults", self.add_fault, "POST"),
            sim_route("/faults", self.clear_faults, "DELETE"),
        ]

    async def list_people(self, request: Request) -> Any:
        """List the people."""
        return [serializers.sim_person(person) for person in self._world.people.values()]

    async def add_person(self, request: Request) -> Any:
        """Add a person."""
        control = await read_control_request(request)
        name = control.text("first_name", longest=MAX_NAME)
        language, username = control.text("language_code", "zh-hans", longest=35), control.optional_text("username")
        return serializers.sim_person(self._world.add_person(name, language_code=language, username=username))

    async def change_person(self, request: Request) -> Any:
        """Change a person's name or language, or block the bot."""
        person, control = self._person(path_number(request, "id")), await read_control_request(request)
        facts = {name: control.text(name) for name in _OWN_FACTS if name in control}
        if facts:
            self._world.change_person(person.id, **facts)
        if "blocked" in control:
            membership.set_blocked(self._world, person.id, blocked=control.flag("blocked"))
        return serializers.sim_person(self._person(person.id))

    async def add_chat(self, request: Request) -> Any:
        """Create a group or channel, with the bot in it unless `bot` is false."""
        control = await read_control_request(request)
        members = tuple(self._person(id).id for id in control.numbers("members"))
        if not members:
            raise BadControlRequest("members: at least one person is needed")
        kind = control.one_of("type", ChatType, ChatType.GROUP)
        if kind is ChatType.PRIVATE:
            raise BadControlRequest("type: a person has their private chat already")
        title, privacy = control.text("title", "群", longest=MAX_TITLE), control.flag("privacy", default=True)
        inside = control.flag("bot", default=True)
        facts = {"bot_admin": control.flag("admin"), "forum": control.flag("forum")}
        chat = self._world.add_chat(kind, title, members, privacy=privacy, bot_inside=inside, **facts)
        if inside:
            membership.add_bot(self._world, chat, members[0])
        return self._world.bot_api_chat(chat.id)

    async def set_role(self, request: Request) -> Any:
        """Let a person join, leave or become an administrator; with `bot`, let them do that with the bot."""
        chat, control = self._chat(request), await read_control_request(request)
        user, role = self._person(control.number("user")).id, control.text("role")
        if role not in membership.ROLES:
            raise BadControlRequest(f"role: one of {', '.join(membership.ROLES)} is needed")
        change = membership.set_bot_role if control.flag("bot") else membership.set_role
        change(self._world, chat, user, role)
        return {"role": role}

    async def messages(self, request: Request) -> Any:
        """List the current messages of a chat."""
        return [self._world.sim_message(message) for message in self._world.messages(self._chat(request).id)]

    async def write(self, request: Request) -> Any:
        """Send a text or an attachment."""
        chat, control = self._chat(request), await read_control_request(request)
        user, kind = self._person(control.number("user")).id, control.text("kind", "text")
        facts: dict[str, Any] = {"forwarded": control.flag("forward"), "reply_to": control.optional_number("reply_to")}
        if kind == "text":
            message = user_actions.write_text(self._world, chat, user, control.text("text"), **facts)
        else:
            media = make_attachment(self._world, user, kind, control.values)
            caption = "" if kind in _WITHOUT_CAPTION else control.text("caption", "")
            message = user_actions.send_message(self._world, chat, user, kind=kind, media=media, text=caption, **facts)
        return {"message_id": message.id}

    async def edit(self, request: Request) -> Any:
        """Edit a message of the person's own."""
        chat, control = self._chat(request), await read_control_request(request)
        message, user = self._message(request, chat), self._person(control.number("user")).id
        return {"message_id": user_actions.edit_message(self._world, chat, user, message, control.text("text")).id}

    async def tap(self, request: Request) -> Any:
        """Press a button, named by its label or position, or send the press of a button that need not exist."""
        chat, control = self._chat(request), await read_control_request(request)
        user, id = self._person(control.number("user")).id, path_number(request, "id")
        if "data" in control:
            return {"query": user_actions.press_button(self._world, chat, user, id, control.text("data"))}
        message = self._message(request, chat)
        row, column, button = _button(message, control)
        if button.kind in choices.KINDS:
            return {"query": choices.choose(self._world, chat, user, message, button)}
        if button.kind != "data":
            raise ActionRefused(f"[{button.label}] is a {button.kind} button: a press of it does not reach the bot")
        position = {"text": button.label, "row": row, "column": column}
        return {"query": user_actions.press_button(self._world, chat, user, id, button.value, **position)}

    async def react(self, request: Request) -> Any:
        """React to a message with an emoji; an empty text takes the reaction back."""
        chat, control = self._chat(request), await read_control_request(request)
        user, emoji = self._person(control.number("user")).id, control.text("emoji", "")
        user_actions.react(self._world, chat, user, self._message(request, chat), emoji)
        return {"message_id": path_number(request, "id")}

    async def type_inline_query(self, request: Request) -> Any:
        """Type an inline query."""
        chat, control = self._chat(request), await read_control_request(request)
        user, query = self._person(control.number("user")).id, control.text("query", "", longest=MAX_QUERY)
        return {"query": inline_choice.type_query(self._world, chat, user, query)}

    async def choose_inline_result(self, request: Request) -> Any:
        """Choose a result of the inline query, or press the button above the results."""
        chat, control = self._chat(request), await read_control_request(request)
        user = self._person(control.number("user")).id
        if control.flag("button"):
            return {"message_id": inline_choice.press_results_button(self._world, chat, user).id}
        return {"message_id": inline_choice.choose_result(self._world, chat, user, control.text("result")).id}

    async def file(self, request: Request) -> Response:
        """Return the content of a file. A browser may show only pictures; it downloads everything else."""
        file = self._file(request)
        shown = file.type in SHOWN_TYPES
        headers = {
            "cache-control": "private, max-age=86400",
            "content-disposition": "inline" if shown else "attachment",
        }
        return Response(file.content, media_type=file.type if shown else "application/octet-stream", headers=headers)

    async def qr(self, request: Request) -> Any:
        """Return the text of the QR code in a picture."""
        file = self._file(request)
        return {"text": await asyncio.to_thread(read_qr_code, file.content) if file.type in SHOWN_TYPES else None}

    async def advance_clock(self, request: Request) -> Any:
        """Move the clock forward: updates and queries expire, and old messages can no longer be deleted."""
        seconds = (await read_control_request(request)).number("seconds")
        if seconds < 0:
            raise BadControlRequest("seconds: at least 0")
        self._world.clock.advance(seconds)
        return {"now": int(self._world.clock())}

    async def add_fault(self, request: Request) -> Any:
        """Inject a fault for the next calls of a method."""
        control = await read_control_request(request)
        kind, times = control.one_of("kind", FaultKind), control.number("times", 1)
        if times < 1:
            raise BadControlRequest("times: at least 1")
        if kind is FaultKind.DUPLICATE:
            self._world.updates.duplicates_ordered += times
            return {"ordered": times}
        wait, seconds = control.number("retry_after", 1), float(control.number("seconds", 2))
        self._faults.add(Fault(control.text("method", "*"), kind, times, wait, seconds))
        return {"ordered": times}

    async def clear_faults(self, request: Request) -> Any:
        """Remove all faults."""
        self._faults.clear()
        self._world.updates.duplicates_ordered = 0
        return {"ordered": 0}

    def _person(self, id: int) -> Person:
        if id not in self._world.people:
            raise UnknownId(f"there is no person with the id {id}")
        return self._world.people[id]

    def _chat(self, request: Request) -> Chat:
        id = path_number(request, "chat")
        if id not in self._world.chats:
            raise UnknownId(f"there is no chat {id}")
        return self._world.chats[id]

    def _message(self, request: Request, chat: Chat) -> Message:
        message = self._world.message(chat.id, path_number(request, "id"))
        if message is None:
            raise ActionRefused(f"there is no message {request.path_params['id']} in this chat")
        return message

    def _file(self, request: Request) -> StoredFile:
        file = self._world.files.get(request.path_params["id"])
        if file is None:
            raise UnknownId("there is no such file")
        return file


def _button(message: Message, request: ControlRequest) -> tuple[int, int, InlineButton]:
    if "label" in request:
        row, column = user_actions.find_button(message, request.text("label"))
    else:
        row, column = request.number("row"), request.number("column")
    return row, column, user_actions.button_at(message, row, column)
