"""Inline mode as people use it: they type behind the bot's name in any chat, and choose one of the results."""

from __future__ import annotations

from playground.world import serializers, user_actions
from playground.world.records import Chat, InlineAnswer, InlineResult, Message
from playground.world.requests import ActionRefused
from playground.world.world import World


def type_query(world: World, chat: Chat, user: int, words: str) -> str | None:
    """Type something behind the bot's name; return the query's id, none when a kept answer serves."""
    user_actions.require_can_write(world, chat, user)
    world.log.add("inline", chat.id, **{"from": "user", "user": user, "text": words})
    kept = world.inline_answers.find(words, user, world.clock())
    if kept is not None:
        show_results(world, chat.id, user, words, kept)
        return None
    query = world.add_query(user, chat.id, words)
    where = "sender" if chat.id == user else chat.type.value
    someone = serializers.bot_api_person(world.people[user])
    body = {"id": query.id, "from": someone, "query": words, "offset": "", "chat_type": where}
    world.updates.add("inline_query", body, f"inline:{user}")
    return query.id


def show_results(world: World, chat: int, user: int, words: str, answer: InlineAnswer) -> None:
    """Show the results to who asked."""
    world.inline_answers.shown[user] = words, answer
    shown = [{**it.given, "id": it.id} for it in answer.results]
    world.log.add("results", chat, user=user, query=words, results=shown, button=answer.button)


def choose_result(world: World, chat: Chat, user: int, id: str) -> Message:
    """Choose a result: its message goes into the chat in the person's name."""
    user_actions.require_can_write(world, chat, user)
    words, answer = world.inline_answers.shown.get(user, ("", InlineAnswer()))
    chosen = next((offer for offer in answer.results if offer.id == id), None)
    if chosen is None:
        raise ActionRefused(f"the bot offers no result {id!r}; it offers: {_ids(answer)}")
    if chosen.facts is None:
        raise ActionRefused(f"a result of the kind {chosen.kind} can be offered here, but not be sent")
    _note(world, chat, user, str(chosen.given.get("title") or chosen.id))
    return _send(world, chat, user, words, chosen)


def press_results_button(world: World, chat: Chat, user: int) -> Message:
    """Press the button above the results: it starts the bot in the person's own chat with it."""
    _, answer = world.inline_answers.shown.get(user, ("", InlineAnswer()))
    if answer.button is None or "start_parameter" not in answer.button:
        raise ActionRefused("there is no button above the results that leads to the bot")
    _note(world, chat, user, str(answer.button["text"]))
    return user_actions.write_text(world, world.chats[user], user, f"/start {answer.button['start_parameter']}")


def _note(world: World, chat: Chat, user: int, title: str) -> None:
    world.log.add("chose", chat.id, **{"from": "user", "user": user, "text": title})


def _send(world: World, chat: Chat, user: int, words: str, chosen: InlineResult) -> Message:
    facts = dict(chosen.facts or {})
    # Telegram names the message to the bot only where it has buttons.
    inline_id = f"{world.rng.randrange(16**20):020x}" if facts.get("markup") else None
    message = user_actions.send_message(world, chat, user, via=True, inline_id=inline_id, **facts)
    body = {"result_id": chosen.id, "from": serializers.bot_api_person(world.people[user]), "query": words}
    named = {"inline_message_id": inline_id} if inline_id else {}
    world.updates.add("chosen_inline_result", body | named, f"inline:{user}")
    return message


def _ids(answer: InlineAnswer) -> str:
    return ", ".join(repr(offer.id) for offer in answer.results) or "nothing"
