"""Inline mode from the person's side: typing a query after the bot's name, and choosing a result."""

from __future__ import annotations

from playground.world import serializers, user_actions
from playground.world.errors import ActionRefused
from playground.world.records import Chat, InlineAnswer, InlineResult, Message
from playground.world.world import QueryPurpose, World


def type_query(world: World, chat: Chat, user: int, text: str) -> str | None:
    """Type an inline query. Return its id, or None when a cached answer is shown instead."""
    user_actions.require_can_write(world, chat, user)
    world.log.add("inline", chat.id, **{"from": "user", "user": user, "text": text})
    cached = world.inline_answers.find(text, user, world.clock())
    if cached is not None:
        show_results(world, chat.id, user, text, cached)
        return None
    query = world.add_query(user, chat.id, QueryPurpose.INLINE, text=text)
    chat_type = "sender" if chat.id == user else chat.type.value
    sender = serializers.bot_api_person(world.people[user])
    body = {"id": query.id, "from": sender, "query": text, "offset": "", "chat_type": chat_type}
    world.updates.add("inline_query", body, f"inline:{user}")
    return query.id


def show_results(world: World, chat: int, user: int, text: str, answer: InlineAnswer) -> None:
    """Show an answer to the person who typed the query."""
    world.inline_answers.shown[user] = text, answer
    results = [{**result.given, "id": result.id} for result in answer.results]
    world.log.add("results", chat, user=user, query=text, results=results, button=answer.button)


def choose_result(world: World, chat: Chat, user: int, id: str) -> Message:
    """Choose a result: the person sends its message into the chat.

    Raises `ActionRefused` when there is no such result, or when it cannot be sent here.
    """
    user_actions.require_can_write(world, chat, user)
    text, answer = world.inline_answers.shown.get(user, ("", InlineAnswer()))
    chosen = next((result for result in answer.results if result.id == id), None)
    if chosen is None:
        raise ActionRefused(f"the bot offers no result {id!r}; it offers: {_ids(answer)}")
    if chosen.facts is None:
        raise ActionRefused(f"a result of the kind {chosen.kind} is shown here, but cannot be sent")
    _log_choice(world, chat, user, str(chosen.given.get("title") or chosen.id))
    return _send(world, chat, user, text, chosen)


def press_results_button(world: World, chat: Chat, user: int) -> Message:
    """Press the button above the results: it starts the bot in the person's private chat.

    Raises `ActionRefused` when there is no such button.
    """
    _, answer = world.inline_answers.shown.get(user, ("", InlineAnswer()))
    if answer.button is None or "start_parameter" not in answer.button:
        raise ActionRefused("there is no button above the results that leads to the bot")
    _log_choice(world, chat, user, str(answer.button["text"]))
    return user_actions.write_text(world, world.chats[user], user, f"/start {answer.button['start_parameter']}")


def _log_choice(world: World, chat: Chat, user: int, title: str) -> None:
    world.log.add("chose", chat.id, **{"from": "user", "user": user, "text": title})


def _send(world: World, chat: Chat, user: int, text: str, chosen: InlineResult) -> Message:
    facts = dict(chosen.facts or {})
    # Telegram gives the bot an inline_message_id only when the message has buttons.
    inline_id = f"{world.rng.randrange(16**20):020x}" if facts.get("markup") else None
    message = user_actions.send_message(world, chat, user, via=True, inline_id=inline_id, **facts)
    body = {"result_id": chosen.id, "from": serializers.bot_api_person(world.people[user]), "query": text}
    message_id = {"inline_message_id": inline_id} if inline_id else {}
    world.updates.add("chosen_inline_result", body | message_id, f"inline:{user}")
    return message


def _ids(answer: InlineAnswer) -> str:
    return ", ".join(repr(result.id) for result in answer.results) or "nothing"
