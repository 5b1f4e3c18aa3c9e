"""What people tap on in a message besides buttons: the options of a poll, the tasks of a checklist, the payment.

The button of an invoice asks the bot, and a yes becomes a receipt in the chat. No money moves.
https://core.telegram.org/bots/payments
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.world import serializers
from playground.world.records import Chat, InlineButton, Json, Message
from playground.world.user_actions import require_can_write, send_message
from playground.world.world import PendingQuery, QueryPurpose, World

KINDS = frozenset({"option", "task", "pay"})
ADDRESS = {
    "country_code": "CN",
    "state": "",
    "city": "北京",
    "street_line1": "长安街 1 号",
    "street_line2": "",
    "post_code": "100000",
}


def choose(world: World, chat: Chat, user: int, message: Message, chosen: InlineButton) -> str | None:
    """Tap on a choice. Return the id of a payment's query; None for the others. Raises `ActionRefused`."""
    require_can_write(world, chat, user)
    if chosen.kind == "pay":
        return _pay(world, chat, user, message, chosen.label)
    labels = [row[0].label for row in serializers.message_choices(message)]
    at = labels.index(chosen.label)
    world.log.add("press", chat.id, **{"from": "user", "user": user, "message_id": message.id, "text": chosen.label})
    if chosen.kind == "option":
        _vote(world, user, message, at)
    else:
        _mark(world, chat, user, message, at)
    return None


def _vote(world: World, user: int, message: Message, option: int) -> None:
    """Vote, or take the vote back; in a poll with one answer a new vote replaces the old one."""
    poll = message.media["poll"]
    before = tuple(message.votes.get(user, ()))
    if option in before:
        after = tuple(vote for vote in before if vote != option)
    else:
        after = (*before, option) if poll["allows_multiple_answers"] else (option,)
    votes = {who: given for who, given in {**message.votes, user: after}.items() if given}
    options = [
        {**shown, "voter_count": sum(number in given for given in votes.values())}
        for number, shown in enumerate(poll["options"])
    ]
    shown = {**poll, "options": options, "total_voter_count": len(votes)}
    world.change_message(message, votes=votes, media={"poll": shown})
    if message.sender != world.profile.id:
        return
    world.updates.add("poll", shown, f"poll:{poll['id']}")
    if not poll["is_anonymous"]:
        answer = {
            "poll_id": poll["id"],
            "user": serializers.bot_api_person(world.people[user]),
            "option_ids": list(after),
            "option_persistent_ids": [poll["options"][vote]["persistent_id"] for vote in after],
        }
        world.updates.add("poll_answer", answer, f"poll:{poll['id']}")


def _mark(world: World, chat: Chat, user: int, message: Message, at: int) -> None:
    """Mark a task as done, or as not done."""
    tasks = list(message.media["checklist"]["tasks"])
    task: Json = tasks[at]
    done = "completed_by_user" not in task
    by = {"completed_by_user": serializers.bot_api_person(world.people[user]), "completion_date": int(world.clock())}
    bare = {name: value for name, value in task.items() if name not in by}
    tasks[at] = {**bare, **by} if done else bare
    changed = world.change_message(message, media={"checklist": {**message.media["checklist"], "tasks": tasks}})
    ids = {"marked_as_done_task_ids" if done else "marked_as_not_done_task_ids": [task["id"]]}
    event = {"checklist_message": world.bot_api_message(changed), **ids}
    send_message(world, chat, user, kind="checklist_tasks_done", media={"checklist_tasks_done": event})


def _pay(world: World, chat: Chat, user: int, message: Message, label: str) -> str:
    """Press the button of an invoice. Return the id of the query that the bot gets."""
    world.log.add("press", chat.id, **{"from": "user", "user": user, "message_id": message.id, "text": label})
    purpose = QueryPurpose.SHIPPING if message.offer.get("is_flexible") else QueryPurpose.CHECKOUT
    return _ask(world, user, message, purpose, message.media["invoice"]["total_amount"])


def choose_shipping(world: World, query: PendingQuery, options: Sequence[Json], error: str) -> None:
    """Take the first way of shipping; an error is shown instead."""
    if error or query.invoice is None:
        _show_error(world, query, error)
        return
    extra = sum(price["amount"] for price in options[0]["prices"])
    amount = query.invoice.media["invoice"]["total_amount"] + extra
    _ask(world, query.user, query.invoice, QueryPurpose.CHECKOUT, amount, {"shipping_option_id": options[0]["id"]})


def finish_payment(world: World, query: PendingQuery, error: str) -> None:
    """Show the receipt, and tell the bot of the payment; an error is shown instead."""
    invoice = query.invoice
    if error or invoice is None:
        _show_error(world, query, error)
        return
    charge = f"sim{query.id}"
    paid = {
        "currency": invoice.media["invoice"]["currency"],
        "total_amount": int(query.text),
        "invoice_payload": invoice.offer["payload"],
        "telegram_payment_charge_id": charge,
        "provider_payment_charge_id": charge,
    }
    chat = world.chats[query.chat]
    send_message(world, chat, query.user, kind="successful_payment", media={"successful_payment": paid})


def _ask(
    world: World, user: int, invoice: Message, purpose: QueryPurpose, amount: int, more: Json | None = None
) -> str:
    query = world.add_query(user, invoice.chat, purpose, text=str(amount), invoice=invoice)
    body = {
        "id": query.id,
        "from": serializers.bot_api_person(world.people[user]),
        "invoice_payload": invoice.offer["payload"],
    }
    if purpose is QueryPurpose.SHIPPING:
        world.updates.add("shipping_query", body | {"shipping_address": ADDRESS}, f"payments:{user}")
    else:
        currency = invoice.media["invoice"]["currency"]
        amounts = {"currency": currency, "total_amount": amount, **(more or {})}
        world.updates.add("pre_checkout_query", body | amounts, f"payments:{user}")
    return query.id


def _show_error(world: World, query: PendingQuery, error: str) -> None:
    world.log.add("toast", query.chat, user=query.user, query=query.id, text=error, alert=True, url=None)
