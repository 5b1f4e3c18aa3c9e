"""The method answerCallbackQuery."""

from __future__ import annotations

from playground.botapi.fields import CallFields
from playground.world.api_errors import QUERY_TOO_OLD, bad_request
from playground.world.world import World

MAX_ANSWER = 200


async def answer_callback_query(world: World, fields: CallFields) -> bool:
    """Answer a button press: with a toast, with an alert, or with nothing that is visible."""
    text, url = fields.text("text").strip(), fields.text("url")
    if len(text) > MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if url and not _opens_this_bot(world, url):
        raise bad_request("URL_INVALID")
    query = world.take_query(fields.text("callback_query_id"))
    if query is None:
        raise bad_request(QUERY_TOO_OLD)
    facts = {"text": text, "alert": fields.flag("show_alert"), "url": url or None}
    world.log.add("toast", query.chat, user=query.user, query=query.id, **facts)
    return True


def _opens_this_bot(world: World, url: str) -> bool:
    # A press may open only a start link of the bot itself: https://core.telegram.org/bots/api#answercallbackquery
    link = url.removeprefix("https://").removeprefix("http://").lower()
    name = world.profile.username.lower()
    return link.startswith((f"t.me/{name}?start=", f"tg://resolve?domain={name}&start="))
