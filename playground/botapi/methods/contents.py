"""What a message can hold besides a text and a file: places, contacts, dice, polls, checklists, invoices, games.

Each function reads the fields of a call and returns the facts of the message. Raises `ApiError`.
"""

from __future__ import annotations

import math
from typing import Any

from playground.botapi.fields import CallFields
from playground.botapi.formatting.formatted_text import FormattedText, read_markup
from playground.world.errors import bad_request
from playground.world.records import Json
from playground.world.world import World

MAX_OPTIONS = 12
MAX_QUESTION = 300
MAX_OPTION = 100
MAX_TASKS = 30
MAX_PAYLOAD = 128  # bytes
STARS = "XTR"
DICE = {"🎲": 6, "🎯": 6, "🏀": 5, "⚽": 5, "🎳": 6, "🎰": 64}
_PLACES = ("foursquare_id", "foursquare_type", "google_place_id", "google_place_type")


async def location(world: World, fields: CallFields) -> Json:
    """A place on the map; with a `live_period` it moves by editMessageLiveLocation."""
    return {"kind": "location", "media": {"location": place(fields)}}


async def venue(world: World, fields: CallFields) -> Json:
    """A place with a name and an address."""
    more = {name: fields.text(name) for name in _PLACES if fields.text(name)}
    shown = {
        "location": place(fields),
        "title": fields.required("title"),
        "address": fields.required("address"),
        **more,
    }
    return {"kind": "venue", "media": {"venue": shown, "location": shown["location"]}}


async def contact(world: World, fields: CallFields) -> Json:
    """A phone number with a name."""
    shown = {name: fields.required(name) for name in ("phone_number", "first_name")}
    shown |= {name: fields.text(name) for name in ("last_name", "vcard") if fields.text(name)}
    return {"kind": "contact", "media": {"contact": shown}}


async def dice(world: World, fields: CallFields) -> Json:
    """An emoji that shows a random value."""
    emoji = fields.text("emoji").replace("\ufe0f", "") or "🎲"
    if emoji not in DICE:
        raise bad_request("DICE_EMOJI_INVALID")
    return {"kind": "dice", "media": {"dice": {"emoji": emoji, "value": world.rng.randint(1, DICE[emoji])}}}


async def poll(world: World, fields: CallFields) -> Json:
    """A poll or a quiz."""
    question, entities = _formatted(fields, "question", "question_parse_mode", "question_entities")
    options = [_option(option) for option in fields.array("options", "options", "String as options")]
    _check_poll(question, options)
    kind = fields.text("type") or "regular"
    if kind not in {"quiz", "regular"}:
        raise bad_request("unsupported poll type specified")
    shown = {
        "id": str(world.rng.randrange(10**17, 10**18)),
        "question": question,
        **({"question_entities": list(entities)} if entities else {}),
        "options": [_shown_option(number, *option) for number, option in enumerate(options)],
        "total_voter_count": 0,
        "is_closed": fields.flag("is_closed"),
        "is_anonymous": fields.flag("is_anonymous", default=True),
        "type": kind,
        "allows_multiple_answers": fields.flag("allows_multiple_answers"),
        "allows_revoting": fields.flag("allows_revoting", default=kind != "quiz"),
        "members_only": fields.flag("members_only"),
        **(_solution(fields, len(options)) if kind == "quiz" else {}),
        **{name: fields.integer(name) for name in ("open_period", "close_date") if fields.integer(name)},
    }
    return {"kind": "poll", "media": {"poll": shown}}


def _check_poll(question: str, options: list[FormattedText]) -> None:
    if not question:
        raise bad_request("poll question must be non-empty")
    if len(question) > MAX_QUESTION:
        raise bad_request(f"poll question length must not exceed {MAX_QUESTION}")
    if not options:
        raise bad_request("poll must have at least 1 option")
    if len(options) > MAX_OPTIONS:
        raise bad_request(f"poll can't have more than {MAX_OPTIONS} options")
    for text, _ in options:
        if not text:
            raise bad_request("poll options must be non-empty")
        if len(text) > MAX_OPTION:
            raise bad_request(f"poll options length must not exceed {MAX_OPTION}")


def _option(given: Any) -> FormattedText:
    if isinstance(given, str):
        return read_markup(given, "", None)
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise bad_request("expected an option to be of type String")
    return read_markup(given["text"], str(given.get("text_parse_mode") or ""), given.get("text_entities"))


def _shown_option(number: int, text: str, entities: tuple[Json, ...]) -> Json:
    marked = {"text_entities": list(entities)} if entities else {}
    return {"persistent_id": str(number), "text": text, **marked, "voter_count": 0}


def _solution(fields: CallFields, options: int) -> Json:
    correct = fields.array("correct_option_ids", "correct option identifiers")
    if "correct_option_ids" not in fields and "correct_option_id" in fields:
        correct = [fields.integer("correct_option_id")]
    if not correct:
        raise bad_request("wrong correct option ID specified")
    if not all(isinstance(id, int) and 0 <= id < options for id in correct):
        raise bad_request("wrong correct option ID specified")
    text, entities = _formatted(fields, "explanation", "explanation_parse_mode", "explanation_entities")
    explained = {"explanation": text, "explanation_entities": list(entities)} if text else {}
    return {"correct_option_ids": correct, **explained}


async def checklist(world: World, fields: CallFields) -> Json:
    """A list of tasks."""
    given = fields.json("checklist", "InputChecklist")
    if given is None:
        raise bad_request('parameter "checklist" is required')
    try:
        return {"kind": "checklist", "media": {"checklist": _checklist(given)}}
    except (TypeError, KeyError, AttributeError):
        raise bad_request("can't parse InputChecklist: expected an Object with a title and tasks") from None


def _checklist(given: Any) -> Json:
    title, entities = read_markup(given["title"], given.get("parse_mode") or "", given.get("title_entities"))
    tasks = [_task(task) for task in given["tasks"]]
    if not title or not 0 < len(tasks) <= MAX_TASKS:
        raise bad_request(f"can't parse InputChecklist: expected a title and 1-{MAX_TASKS} tasks")
    rights = {
        name: True for name in ("others_can_add_tasks", "others_can_mark_tasks_as_done") if given.get(name) is True
    }
    return {"title": title, **({"title_entities": list(entities)} if entities else {}), "tasks": tasks, **rights}


def _task(given: Any) -> Json:
    text, entities = read_markup(given["text"], given.get("parse_mode") or "", given.get("text_entities"))
    return {"id": int(given["id"]), "text": text} | ({"text_entities": list(entities)} if entities else {})


async def invoice(world: World, fields: CallFields) -> Json:
    """A bill with a button to pay it. No money moves."""
    shown = invoice_facts(fields)
    return {"kind": "invoice", "media": {"invoice": shown}, "offer": offer(fields)}


def invoice_facts(fields: CallFields) -> Json:
    """Return the invoice as the Bot API shows it. Raises `ApiError`."""
    title, description = fields.required("title"), fields.required("description")
    if len(fields.required("payload").encode()) > MAX_PAYLOAD:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    currency = fields.required("currency").upper()
    if len(currency) != 3 or not currency.isalpha():
        raise bad_request("CURRENCY_INVALID")
    prices = _prices(fields)
    if currency == STARS and len(prices) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    if currency != STARS and not fields.text("provider_token"):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    shown = {"title": title, "description": description, "start_parameter": fields.text("start_parameter")}
    return shown | {"currency": currency, "total_amount": sum(int(price["amount"]) for price in prices)}


def offer(fields: CallFields) -> Json:
    """Return what the invoice keeps for the payment: its payload, and whether the price depends on the address."""
    return {"payload": fields.text("payload"), "is_flexible": fields.flag("is_flexible")}


def _prices(fields: CallFields) -> list[Json]:
    fields.required("prices")
    prices = fields.array("prices", "prices", "labeled prices")
    if not prices:
        raise bad_request("there must be at least one price")
    return [check_price(price) for price in prices]


def check_price(given: Any) -> Json:
    """Return a price with its label. Raises `ApiError`."""
    if not isinstance(given, dict):
        raise bad_request("can't parse labeled price: LabeledPrice must be an Object")
    if not given.get("label"):
        raise bad_request("can't parse labeled price: LabeledPrice label must be non-empty")
    try:
        return {"label": str(given["label"]), "amount": int(given["amount"])}
    except (KeyError, TypeError, ValueError):
        raise bad_request("can't parse labeled price: Can't find field \"amount\"") from None


async def game(world: World, fields: CallFields) -> Json:
    """A game, shown by its short name: the simulator cannot play it."""
    name = fields.required("game_short_name")
    photo: list[Json] = []
    return {"kind": "game", "media": {"game": {"title": name, "description": "", "photo": photo}}}


async def rich_message(world: World, fields: CallFields) -> Json:
    """A message of blocks, checked as an object and shown as a plain text."""
    given = fields.json("rich_message", "InputRichMessage")
    if not isinstance(given, dict):
        raise bad_request("can't parse InputRichMessage: expected an Object")
    source = str(given.get("markdown") or given.get("html") or "")
    fields.remark("the simulator shows a rich message by its source")
    return {"kind": "rich_message", "media": {"rich_message": given}, "text": source}


def place(fields: CallFields) -> Json:
    """Return the location of a call. Raises `ApiError`."""
    latitude, longitude = (_coordinate(fields, name) for name in ("latitude", "longitude"))
    if abs(latitude) > 90 or abs(longitude) > 180:  # degrees
        raise bad_request("wrong location specified")
    numbers = ("live_period", "heading", "proximity_alert_radius")
    more: dict[str, float] = {name: fields.integer(name) for name in numbers if fields.integer(name)}
    if fields.text("horizontal_accuracy"):
        more["horizontal_accuracy"] = _number(fields.text("horizontal_accuracy"))
    return {"latitude": latitude, "longitude": longitude, **more}


def _coordinate(fields: CallFields, name: str) -> float:
    given = fields.text(name).strip()
    if not given:
        raise bad_request(f"{name} is empty")
    return _number(given)


def _number(given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        return 0.0  # as the public server reads it
    return value if math.isfinite(value) else 0.0


def _formatted(fields: CallFields, text: str, mode: str, entities: str) -> FormattedText:
    return read_markup(fields.text(text), fields.text(mode), fields.json(entities, "entities"))
