"""Answers to presses of buttons and to inline queries."""

from __future__ import annotations

from typing import Any

from playground.botapi.fields import Fields
from playground.botapi.refusals import OLD_QUERY, bad_request
from playground.world import World

LONGEST_ANSWER = 200
MOST_RESULTS = 50


async def answer_callback_query(world: World, fields: Fields) -> bool:
    """Answer a press: silently, with a line that passes by, or with an alert."""
    text, url = fields.text("text").strip(), fields.text("url")
    if len(text) > LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if url and not _opens_this_bot(world, url):
        raise bad_request("URL_INVALID")
    query = world.take_query(fields.text("callback_query_id"))
    if query is None:
        raise bad_request(OLD_QUERY)
    facts = {"text": text, "alert": fields.flag("show_alert"), "url": url or None}
    world.log.add("toast", query.chat, user=query.user, query=query.id, **facts)
    return True


async def answer_inline_query(world: World, fields: Fields) -> bool:
    """Answer what somebody typed behind the bot's name in any chat."""
    results = _results(fields.json("results", "inline query results"))
    query = world.take_query(fields.text("inline_query_id"))
    if query is None:
        raise bad_request(OLD_QUERY)
    facts = {"results": results, "button": fields.json("button", "inline query results button")}
    world.log.add("results", query.chat, user=query.user, query=query.id, **facts)
    return True


def _opens_this_bot(world: World, url: str) -> bool:
    # "t.me/BOT?start=..." and the tg:// form of it are the only addresses a press may open.
    link = url.removeprefix("https://").removeprefix("http://").lower()
    name = world.profile.username.lower()
    return link.startswith((f"t.me/{name}?start=", f"tg://resolve?domain={name}&start="))


def _results(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise bad_request("expected an Array of inline query results")
    if len(given) > MOST_RESULTS:
        raise bad_request("too many inline query results specified")
    ids = [str(result.get("id")) for result in given if isinstance(result, dict)]
    if len(ids) != len(given):
        raise bad_request("can't parse inline query result: Inline query result must be an object")
    if len(set(ids)) != len(ids):
        raise bad_request("RESULT_ID_DUPLICATE")
    return given
