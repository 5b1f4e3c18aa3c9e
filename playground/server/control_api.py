"""/sim: what the chat page and the script player let people do, and the faults they order."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from playground.botapi.faults import Fault, FaultKind, FaultQueue
from playground.world import inline_choice, serializers, user_actions
from playground.world.attachments import make_attachment
from playground.world.files import read_qr_code
from playground.world.records import Chat, ChatType, InlineButton, Message, Person, StoredFile
from playground.world.requests import (
    ActionRefused,
    BadControlRequest,
    ControlRequest,
    UnknownId,
    path_number,
    read_control_request,
    sim_route,
)
from playground.world.world import World

LONGEST_NAME = 64
LONGEST_TITLE = 128
LONGEST_QUERY = 256
SHOWN_TYPES = frozenset({"image/jpeg", "image/webp"})


class ControlApi:
    """The people's side of the stand-in."""

    def __init__(self, world: World, faults: FaultQueue) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        """Return the routes of what people do."""
        message = "/chats/{chat}/messages/{id}"
        return [
            sim_route("/users", self.list_people),
            sim_route("/users", self.add_person, "POST"),
            sim_route("/users/{id}", self.change_person, "PATCH"),
            sim_route("/chats", self.add_chat, "POST"),
            sim_route("/chats/{chat}/messages", self.messages),
            sim_route("/chats/{chat}/messages", self.write, "POST"),
            sim_route("/chats/{chat}/inline", self.type_inline_query, "POST"),
            sim_route("/chats/{chat}/inline/choose", self.choose_inline_result, "POST"),
            sim_route(f"{message}/edit", self.edit, "POST"),
            sim_route(f"{message}/tap", self.tap, "POST"),
            sim_route("/files/{id}", self.file),
            sim_route("/files/{id}/qr", self.qr),
            sim_route("/clock", self.advance_clock, "POST"),
            sim_route("/faults", self.add_fault, "POST"),
            sim_route("/faults", self.clear_faults, "DELETE"),
        ]

    async def list_people(self, request: Request) -> Any:
        """List the people."""
        return [serializers.sim_person(someone) for someone in self._world.people.values()]

    async def add_person(self, request: Request) -> Any:
        """Let somebody new in."""
        order = await read_control_request(request)
        name = order.text("first_name", longest=LONGEST_NAME)
        language, username = order.text("language_code", "zh-hans", longest=35), order.optional_text("username")
        return serializers.sim_person(self._world.add_person(name, language_code=language, username=username))

    async def change_person(self, request: Request) -> Any:
        """Change a name or language, or block the bot."""
        someone, order = self._person(path_number(request, "id")), await read_control_request(request)
        facts = {name: order.text(name) for name in ("first_name", "language_code", "username") if name in order}
        if facts:
            self._world.change_person(someone.id, **facts)
        if "blocked" in order:
            user_actions.set_blocked(self._world, someone.id, blocked=order.flag("blocked"))
        return serializers.sim_person(self._person(someone.id))

    async def add_chat(self, request: Request) -> Any:
        """Open a group or channel, and put the bot into it unless it is to stay outside."""
        order = await read_control_request(request)
        members = tuple(self._person(id).id for id in order.numbers("members"))
        if not members:
            raise BadControlRequest("members: a chat needs at least one person")
        kind = order.one_of("type", ChatType, ChatType.GROUP)
        if kind is ChatType.PRIVATE:
            raise BadControlRequest("type: a private chat comes with its person")
        title, privacy = order.text("title", "群", longest=LONGEST_TITLE), order.flag("privacy", default=True)
        inside = order.flag("bot", default=True)
        chat = self._world.add_chat(kind, title, members, privacy=privacy, bot_inside=inside)
        if inside:
            user_actions.add_bot(self._world, chat, members[0])
        return self._world.bot_api_chat(chat.id)

    async def messages(self, request: Request) -> Any:
        """List the messages a chat shows now."""
        return [self._world.sim_message(message) for message in self._world.messages(self._chat(request).id)]

    async def write(self, request: Request) -> Any:
        """Write something, or send a thing."""
        chat, order = self._chat(request), await read_control_request(request)
        user, kind = self._person(order.number("user")).id, order.text("kind", "text")
        facts: dict[str, Any] = {"forwarded": order.flag("forward"), "reply_to": order.optional_number("reply_to")}
        if kind == "text":
            message = user_actions.write_text(self._world, chat, user, order.text("text"), **facts)
        else:
            media = make_attachment(self._world, user, kind, order.values)
            message = user_actions.send_message(
                self._world, chat, user, kind=kind, media=media, text=order.text("caption", ""), **facts
            )
        return {"message_id": message.id}

    async def edit(self, request: Request) -> Any:
        """Change one's own message."""
        chat, order = self._chat(request), await read_control_request(request)
        message, user = self._message(request, chat), self._person(order.number("user")).id
        return {"message_id": user_actions.edit_message(self._world, chat, user, message, order.text("text")).id}

    async def tap(self, request: Request) -> Any:
        """Press a button, by its label or place, or claim to have pressed one."""
        chat, order = self._chat(request), await read_control_request(request)
        user, id = self._person(order.number("user")).id, path_number(request, "id")
        if "data" in order:
            return {"query": user_actions.press_button(self._world, chat, user, id, order.text("data"))}
        row, column, button = _button(self._message(request, chat), order)
        if button.kind != "data":
            raise ActionRefused(f"[{button.label}] is a button of the kind {button.kind}: the bot hears nothing of it")
        place = {"text": button.label, "row": row, "column": column}
        return {"query": user_actions.press_button(self._world, chat, user, id, button.value, **place)}

    async def type_inline_query(self, request: Request) -> Any:
        """Type something behind the bot's name."""
        chat, order = self._chat(request), await read_control_request(request)
        user, query = self._person(order.number("user")).id, order.text("query", "", longest=LONGEST_QUERY)
        return {"query": inline_choice.type_query(self._world, chat, user, query)}

    async def choose_inline_result(self, request: Request) -> Any:
        """Choose one of the results, or the button above them."""
        chat, order = self._chat(request), await read_control_request(request)
        user = self._person(order.number("user")).id
        if order.flag("button"):
            return {"message_id": inline_choice.press_results_button(self._world, chat, user).id}
        return {"message_id": inline_choice.choose_result(self._world, chat, user, order.text("result")).id}

    async def file(self, request: Request) -> Response:
        """Return the bytes of a file; only pictures may be shown in place."""
        kept = self._file(request)
        shown = kept.type in SHOWN_TYPES
        headers = {
            "cache-control": "private, max-age=86400",
            "content-disposition": "inline" if shown else "attachment",
        }
        return Response(kept.content, media_type=kept.type if shown else "application/octet-stream", headers=headers)

    async def qr(self, request: Request) -> Any:
        """Read the QR code in a picture, as a phone's camera would."""
        kept = self._file(request)
        return {"text": await asyncio.to_thread(read_qr_code, kept.content) if kept.type in SHOWN_TYPES else None}

    async def advance_clock(self, request: Request) -> Any:
        """Let time pass at once: what waits too long expires, old messages can no longer be deleted."""
        seconds = (await read_control_request(request)).number("seconds")
        if seconds < 0:
            raise BadControlRequest("seconds: time goes forward only")
        self._world.clock.advance(seconds)
        return {"now": int(self._world.clock())}

    async def add_fault(self, request: Request) -> Any:
        """Let the network or the server misbehave."""
        order = await read_control_request(request)
        kind, times = order.one_of("kind", FaultKind), order.number("times", 1)
        if times < 1:
            raise BadControlRequest("times: at least 1")
        if kind is FaultKind.DUPLICATE:
            self._world.updates.duplicates_ordered += times
            return {"ordered": times}
        wait, seconds = order.number("retry_after", 1), float(order.number("seconds", 2))
        self._faults.add(Fault(order.text("method", "*"), kind, times, wait, seconds))
        return {"ordered": times}

    async def clear_faults(self, request: Request) -> Any:
        """Let everything work again."""
        self._faults.clear()
        self._world.updates.duplicates_ordered = 0
        return {"ordered": 0}

    def _person(self, id: int) -> Person:
        if id not in self._world.people:
            raise UnknownId(f"there is nobody with the id {id}")
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
        kept = self._world.files.get(request.path_params["id"])
        if kept is None:
            raise UnknownId("there is no such file")
        return kept


def _button(message: Message, request: ControlRequest) -> tuple[int, int, InlineButton]:
    if "label" in request:
        row, column = user_actions.find_button(message, request.text("label"))
    else:
        row, column = request.number("row"), request.number("column")
    return row, column, user_actions.button_at(message, row, column)
