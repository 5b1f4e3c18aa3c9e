"""Inline mode as people use it: they type behind the bot's name in any chat, and choose one of the results."""

from __future__ import annotations

from playground.world import serializers, user_actions
from playground.world.records import Answer, Chat, Message, Offer
from playground.world.requests import NotThere
from playground.world.world import World


def ask(world: World, chat: Chat, user: int, words: str) -> str | None:
    """Type something behind the bot's name; return the query's id, none when a kept answer serves."""
    user_actions.may_write(world, chat, user)
    world.log.add("inline", chat.id, **{"from": "user", "user": user, "text": words})
    kept = world.answers.find(words, user, world.clock())
    if kept is not None:
        offer(world, chat.id, user, words, kept)
        return None
    query = world.ask(user, chat.id, words)
    where = "sender" if chat.id == user else chat.type.value
    someone = serializers.person(world.people[user])
    body = {"id": query.id, "from": someone, "query": words, "offset": "", "chat_type": where}
    world.updates.add("inline_query", body, f"inline:{user}")
    return query.id


def offer(world: World, chat: int, user: int, words: str, answer: Answer) -> None:
    """Show the results to who asked."""
    world.answers.seen[user] = words, answer
    shown = [{**it.given, "id": it.id} for it in answer.offers]
    world.log.add("results", chat, user=user, query=words, results=shown, button=answer.button)


def choose(world: World, chat: Chat, user: int, id: str) -> Message:
    """Choose a result: its message goes into the chat in the person's name."""
    user_actions.may_write(world, chat, user)
    words, answer = world.answers.seen.get(user, ("", Answer()))
    chosen = next((offer for offer in answer.offers if offer.id == id), None)
    if chosen is None:
        raise NotThere(f"the bot offers no result {id!r}; it offers: {_ids(answer)}")
    if chosen.facts is None:
        raise NotThere(f"a result of the kind {chosen.kind} can be offered here, but not be sent")
    _note(world, chat, user, str(chosen.given.get("title") or chosen.id))
    return _send(world, chat, user, words, chosen)


def follow(world: World, chat: Chat, user: int) -> Message:
    """Press the button above the results: it starts the bot in the person's own chat with it."""
    _, answer = world.answers.seen.get(user, ("", Answer()))
    if answer.button is None or "start_parameter" not in answer.button:
        raise NotThere("there is no button above the results that leads to the bot")
    _note(world, chat, user, str(answer.button["text"]))
    return user_actions.say(world, world.chats[user], user, f"/start {answer.button['start_parameter']}")


def _note(world: World, chat: Chat, user: int, title: str) -> None:
    world.log.add("chose", chat.id, **{"from": "user", "user": user, "text": title})


def _send(world: World, chat: Chat, user: int, words: str, chosen: Offer) -> Message:
    facts = dict(chosen.facts or {})
    # Telegram names the message to the bot only where it has buttons.
    inline_id = f"{world.rng.randrange(16**20):020x}" if facts.get("markup") else None
    message = user_actions.send(world, chat, user, via=True, inline_id=inline_id, **facts)
    body = {"result_id": chosen.id, "from": serializers.person(world.people[user]), "query": words}
    named = {"inline_message_id": inline_id} if inline_id else {}
    world.updates.add("chosen_inline_result", body | named, f"inline:{user}")
    return message


def _ids(answer: Answer) -> str:
    return ", ".join(repr(offer.id) for offer in answer.offers) or "nothing"
