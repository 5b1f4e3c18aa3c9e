"""/sim: what the chat page and the script player let people do, and the faults they order."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from playground.botapi.faults import Fault, FaultKind, Faults
from playground.world import inline_choice, serializers, user_actions
from playground.world.attachments import attachment
from playground.world.files import qr_text
from playground.world.records import Button, Chat, ChatType, Message, Person, StoredFile
from playground.world.requests import BadOrder, NoSuchThing, NotThere, Order, path_number, read_order, route
from playground.world.world import World

LONGEST_NAME = 64
LONGEST_TITLE = 128
LONGEST_QUERY = 256
SHOWN_TYPES = frozenset({"image/jpeg", "image/webp"})


class Sim:
    """The people's side of the stand-in."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        """Return the routes of what people do."""
        message = "/chats/{chat}/messages/{id}"
        return [
            route("/users", self.everybody),
            route("/users", self.new_person, "POST"),
            route("/users/{id}", self.change_person, "PATCH"),
            route("/chats", self.new_chat, "POST"),
            route("/chats/{chat}/messages", self.messages),
            route("/chats/{chat}/messages", self.say, "POST"),
            route("/chats/{chat}/inline", self.inline, "POST"),
            route("/chats/{chat}/inline/choose", self.choose, "POST"),
            route(f"{message}/edit", self.edit, "POST"),
            route(f"{message}/tap", self.tap, "POST"),
            route("/files/{id}", self.file),
            route("/files/{id}/qr", self.qr),
            route("/clock", self.clock, "POST"),
            route("/faults", self.fault, "POST"),
            route("/faults", self.no_faults, "DELETE"),
        ]

    async def everybody(self, request: Request) -> Any:
        """List the people."""
        return [serializers.short_person(someone) for someone in self._world.people.values()]

    async def new_person(self, request: Request) -> Any:
        """Let somebody new in."""
        order = await read_order(request)
        name = order.text("first_name", longest=LONGEST_NAME)
        language, username = order.text("language_code", "zh-hans", longest=35), order.optional_text("username")
        return serializers.short_person(self._world.add_person(name, language_code=language, username=username))

    async def change_person(self, request: Request) -> Any:
        """Change a name or language, or block the bot."""
        someone, order = self._person(path_number(request, "id")), await read_order(request)
        facts = {name: order.text(name) for name in ("first_name", "language_code", "username") if name in order}
        if facts:
            self._world.change_person(someone.id, **facts)
        if "blocked" in order:
            user_actions.block(self._world, someone.id, blocked=order.flag("blocked"))
        return serializers.short_person(self._person(someone.id))

    async def new_chat(self, request: Request) -> Any:
        """Open a group or channel, and put the bot into it unless it is to stay outside."""
        order = await read_order(request)
        members = tuple(self._person(id).id for id in order.numbers("members"))
        if not members:
            raise BadOrder("members: a chat needs at least one person")
        kind = order.one_of("type", ChatType, ChatType.GROUP)
        if kind is ChatType.PRIVATE:
            raise BadOrder("type: a private chat comes with its person")
        title, privacy = order.text("title", "群", longest=LONGEST_TITLE), order.flag("privacy", default=True)
        inside = order.flag("bot", default=True)
        chat = self._world.add_chat(kind, title, members, privacy=privacy, bot_inside=inside)
        if inside:
            user_actions.bring_in(self._world, chat, members[0])
        return self._world.chat_wire(chat.id)

    async def messages(self, request: Request) -> Any:
        """List the messages a chat shows now."""
        return [self._world.short(message) for message in self._world.messages(self._chat(request).id)]

    async def say(self, request: Request) -> Any:
        """Write something, or send a thing."""
        chat, order = self._chat(request), await read_order(request)
        user, kind = self._person(order.number("user")).id, order.text("kind", "text")
        facts: dict[str, Any] = {"forwarded": order.flag("forward"), "reply_to": order.optional_number("reply_to")}
        if kind == "text":
            message = user_actions.say(self._world, chat, user, order.text("text"), **facts)
        else:
            media = attachment(self._world, user, kind, order.values)
            message = user_actions.send(
                self._world, chat, user, kind=kind, media=media, text=order.text("caption", ""), **facts
            )
        return {"message_id": message.id}

    async def edit(self, request: Request) -> Any:
        """Change one's own message."""
        chat, order = self._chat(request), await read_order(request)
        message, user = self._message(request, chat), self._person(order.number("user")).id
        return {"message_id": user_actions.edit(self._world, chat, user, message, order.text("text")).id}

    async def tap(self, request: Request) -> Any:
        """Press a button, by its label or place, or claim to have pressed one."""
        chat, order = self._chat(request), await read_order(request)
        user, id = self._person(order.number("user")).id, path_number(request, "id")
        if "data" in order:
            return {"query": user_actions.press(self._world, chat, user, id, order.text("data"))}
        row, column, button = _button(self._message(request, chat), order)
        if button.kind != "data":
            raise NotThere(f"[{button.label}] is a button of the kind {button.kind}: the bot hears nothing of it")
        place = {"text": button.label, "row": row, "column": column}
        return {"query": user_actions.press(self._world, chat, user, id, button.value, **place)}

    async def inline(self, request: Request) -> Any:
        """Type something behind the bot's name."""
        chat, order = self._chat(request), await read_order(request)
        user, query = self._person(order.number("user")).id, order.text("query", "", longest=LONGEST_QUERY)
        return {"query": inline_choice.ask(self._world, chat, user, query)}

    async def choose(self, request: Request) -> Any:
        """Choose one of the results, or the button above them."""
        chat, order = self._chat(request), await read_order(request)
        user = self._person(order.number("user")).id
        if order.flag("button"):
            return {"message_id": inline_choice.follow(self._world, chat, user).id}
        return {"message_id": inline_choice.choose(self._world, chat, user, order.text("result")).id}

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
        return {"text": await asyncio.to_thread(qr_text, kept.content) if kept.type in SHOWN_TYPES else None}

    async def clock(self, request: Request) -> Any:
        """Let time pass at once: what waits too long expires, old messages can no longer be deleted."""
        seconds = (await read_order(request)).number("seconds")
        if seconds < 0:
            raise BadOrder("seconds: time goes forward only")
        self._world.clock.advance(seconds)
        return {"now": int(self._world.clock())}

    async def fault(self, request: Request) -> Any:
        """Let the network or the server misbehave."""
        order = await read_order(request)
        kind, times = order.one_of("kind", FaultKind), order.number("times", 1)
        if times < 1:
            raise BadOrder("times: at least 1")
        if kind is FaultKind.DUPLICATE:
            self._world.updates.repeats += times
            return {"ordered": times}
        wait, seconds = order.number("retry_after", 1), float(order.number("seconds", 2))
        self._faults.order(Fault(order.text("method", "*"), kind, times, wait, seconds))
        return {"ordered": times}

    async def no_faults(self, request: Request) -> Any:
        """Let everything work again."""
        self._faults.clear()
        self._world.updates.repeats = 0
        return {"ordered": 0}

    def _person(self, id: int) -> Person:
        if id not in self._world.people:
            raise NoSuchThing(f"there is nobody with the id {id}")
        return self._world.people[id]

    def _chat(self, request: Request) -> Chat:
        id = path_number(request, "chat")
        if id not in self._world.chats:
            raise NoSuchThing(f"there is no chat {id}")
        return self._world.chats[id]

    def _message(self, request: Request, chat: Chat) -> Message:
        message = self._world.message(chat.id, path_number(request, "id"))
        if message is None:
            raise NotThere(f"there is no message {request.path_params['id']} in this chat")
        return message

    def _file(self, request: Request) -> StoredFile:
        kept = self._world.files.get(request.path_params["id"])
        if kept is None:
            raise NoSuchThing("there is no such file")
        return kept


def _button(message: Message, order: Order) -> tuple[int, int, Button]:
    if "label" in order:
        row, column = user_actions.find_button(message, order.text("label"))
    else:
        row, column = order.number("row"), order.number("column")
    return row, column, user_actions.button_at(message, row, column)
