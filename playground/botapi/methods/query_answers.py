"""The answers to what a person asks for by a button: presses, and the two queries of a payment. No money moves."""

from __future__ import annotations

from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.methods.contents import check_price, invoice_facts
from playground.world import choices
from playground.world.errors import QUERY_TOO_OLD, bad_request
from playground.world.records import Json
from playground.world.world import QueryPurpose, World

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


async def answer_pre_checkout_query(world: World, fields: CallFields) -> bool:
    """Accept or refuse the payment; the person then sees the receipt or the error."""
    error = "" if fields.flag("ok") else fields.required("error_message")
    query = world.take_query(fields.text("pre_checkout_query_id"), QueryPurpose.CHECKOUT)
    if query is None:
        raise bad_request(QUERY_TOO_OLD)
    choices.finish_payment(world, query, error)
    return True


async def answer_shipping_query(world: World, fields: CallFields) -> bool:
    """Offer ways of shipping; the person takes the first."""
    ok = fields.flag("ok")
    options = [_shipping_option(option) for option in _options(fields)] if ok else []
    error = "" if ok else fields.required("error_message")
    query = world.take_query(fields.text("shipping_query_id"), QueryPurpose.SHIPPING)
    if query is None:
        raise bad_request(QUERY_TOO_OLD)
    choices.choose_shipping(world, query, options, error)
    return True


async def create_invoice_link(world: World, fields: CallFields) -> str:
    """Return a link to an invoice. It leads nowhere here: only sendInvoice shows one."""
    invoice_facts(fields)
    fields.remark("the simulator cannot open the link of createInvoiceLink")
    return f"https://t.me/$sim{world.next_message_id()}"


def _options(fields: CallFields) -> list[Any]:
    fields.required("shipping_options")
    options = fields.array("shipping_options", "shipping options")
    if not options:
        raise bad_request("there must be at least one shipping option")
    return options


def _shipping_option(given: Any) -> Json:
    if not isinstance(given, dict):
        raise bad_request("can't parse shipping option: ShippingOption must be an Object")
    for name, word in (("id", "identifier"), ("title", "title")):
        if not given.get(name):
            raise bad_request(f"can't parse shipping option: ShippingOption {word} must be non-empty")
    prices = given.get("prices")
    if not isinstance(prices, list):
        raise bad_request("can't parse shipping option prices: expected an Array of labeled prices")
    return {"id": str(given["id"]), "title": str(given["title"]), "prices": [check_price(price) for price in prices]}


def _opens_this_bot(world: World, url: str) -> bool:
    # A press may open only a start link of the bot itself: https://core.telegram.org/bots/api#answercallbackquery
    link = url.removeprefix("https://").removeprefix("http://").lower()
    name = world.profile.username.lower()
    return link.startswith((f"t.me/{name}?start=", f"tg://resolve?domain={name}&start="))
