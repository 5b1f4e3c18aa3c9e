"""Renders side messages, which are no step of the dialogue: the FAQ, and what is stored about a person."""

import html
import json
from collections.abc import Iterator, Sequence
from math import ceil

from msgspec.structs import asdict
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.content.catalogue import Catalogue, Entry
from bot.flow.effects import ShowFaq, ShowRecords, TextKey, Values
from bot.flow.events import SideMessage
from bot.flow.rules.common import UNHELPFUL
from bot.handlers.keyboards import side_button
from verification.dialogue_store import Consent, LinkBinding, PastAttempt, PersonRecords
from verification.identity import mask_account
from verification.ids import Account, PersonId, own_account
from verification.record import Record

TOPICS_A_PAGE = 7
_MAX_LINES = 10


class MessageContent(Record):
    """A message's text and buttons."""

    text: str
    markup: InlineKeyboardMarkup | None


def render_faq(catalogue: Catalogue, language: str, shown: ShowFaq) -> MessageContent:
    """A topic with its links and other matching topics, or a page of the list; an unknown topic gives the list."""
    entry = catalogue.entry(language, shown.topic) if shown.topic else None
    if entry is None:
        return _faq_list(catalogue, language, shown)
    rows = [[InlineKeyboardButton(label, url=url)] for label, url in entry.links]
    others = [other for other in catalogue.faq[language] if other.id in shown.others]
    rows += [[side_button(SideMessage.FAQ, choice=f"show.{other.id}", label=f"❓ {other.title}")] for other in others]
    unhelpful = catalogue.text(language, "faq.not_helpful")
    rows.append([side_button(SideMessage.FAQ, choice=f"{UNHELPFUL}.{entry.id}", label=unhelpful)])
    rows.append([side_button(SideMessage.FAQ, choice="list.0", label=catalogue.text(language, "faq.list"))])
    return MessageContent(render_topic(entry), InlineKeyboardMarkup(rows))


def render_topic(entry: Entry) -> str:
    """A topic as the text of a message."""
    return f"<b>{html.escape(entry.title, quote=False)}</b>\n\n{entry.answer}"


def render_records(catalogue: Catalogue, language: str, shown: ShowRecords, records: PersonRecords) -> MessageContent:
    """What is stored about a person, or the question before it is erased."""
    values = {"account": mask_account(shown.account)}
    if shown.ask_erase:
        now = side_button(
            SideMessage.PRIVACY,
            choice="erase_now",
            label=catalogue.text(language, "privacy.erase_now"),
            question_id=shown.question_id,
            style="danger",
        )
        keep = side_button(SideMessage.PRIVACY, choice="keep", label=catalogue.text(language, "privacy.keep"))
        return MessageContent(
            catalogue.text(language, "privacy.ask_erase", values), InlineKeyboardMarkup([[now, keep]])
        )
    lines = list(_lines(catalogue, language, records))
    text = catalogue.text(language, "privacy.ask", values | {"records": "\v"})
    export = side_button(SideMessage.PRIVACY, choice="export", label=catalogue.text(language, "privacy.export"))
    erase = side_button(SideMessage.PRIVACY, choice="erase", label=catalogue.text(language, "privacy.erase"))
    return MessageContent(text.replace("\v", "\n".join(lines)), InlineKeyboardMarkup([[export, erase]]))


def export_json(person: PersonId, account: Account, records: PersonRecords) -> bytes:
    """What is stored about a person, as JSON; no record holds a name or number.

    The account of a link is masked, as in the chat, because opening a link does not prove that the account is theirs.
    """

    def masked(record: Consent | PastAttempt | LinkBinding) -> dict[str, object]:
        return asdict(record) | {"account": shown(record.account)}

    def shown(name: Account) -> str:
        return name if name == own_account(person) else mask_account(name)

    slot = records.quota_slot
    content = {
        "account": shown(account),
        "consents": [masked(consent) for consent in records.consents],
        "attempts": [masked(attempt) for attempt in records.attempts],
        "links": [masked(binding) for binding in records.link_bindings],
        "place": None if slot is None else {"method": slot.method, "at": slot.at},
    }
    return json.dumps(content, default=str, ensure_ascii=False, indent=2).encode()


def _faq_list(catalogue: Catalogue, language: str, shown: ShowFaq) -> MessageContent:
    entries = catalogue.faq[language]
    pages = ceil(len(entries) / TOPICS_A_PAGE)
    page = min(shown.page, pages - 1)
    first = page * TOPICS_A_PAGE
    rows = [
        [side_button(SideMessage.FAQ, choice=f"show.{entry.id}", label=entry.title)]
        for entry in entries[first : first + TOPICS_A_PAGE]
    ]
    arrows = []
    if page > 0:
        arrows.append(
            side_button(SideMessage.FAQ, choice=f"list.{page - 1}", label=catalogue.text(language, "faq.previous"))
        )
    if page < pages - 1:
        arrows.append(
            side_button(SideMessage.FAQ, choice=f"list.{page + 1}", label=catalogue.text(language, "faq.next"))
        )
    note = "faq.missed" if shown.unanswered else "faq.unhelpful" if shown.unhelpful else None
    title = catalogue.text(language, "faq.title", {"page": str(page + 1), "pages": str(pages)})
    contact = [[_link_button(catalogue, language, "operator")]] if note else []
    shown_rows = _filled([*contact, *rows, arrows, [_link_button(catalogue, language, "official")]])
    text = f"{catalogue.text(language, note)}\n\n{title}" if note else title
    return MessageContent(text, InlineKeyboardMarkup(shown_rows))


def _link_button(catalogue: Catalogue, language: str, link: str) -> InlineKeyboardButton | None:
    """The button of a page; None for the operator's contact that no address opens."""
    url = catalogue.text(language, f"link.{link}.url")
    return InlineKeyboardButton(catalogue.text(language, f"link.{link}.label"), url=url) if url else None


def _filled(rows: Sequence[Sequence[InlineKeyboardButton | None]]) -> list[list[InlineKeyboardButton]]:
    filled = [[button for button in row if button is not None] for row in rows]
    return [row for row in filled if row]


def _slot_line(catalogue: Catalogue, language: str, records: PersonRecords) -> Iterator[str]:
    if records.quota_slot is not None:
        values: Values = {"method": TextKey(f"method.{records.quota_slot.method}"), "at": records.quota_slot.at}
        yield catalogue.text(language, "privacy.place", values)


def _lines(catalogue: Catalogue, language: str, records: PersonRecords) -> Iterator[str]:
    consents = [
        catalogue.text(language, "privacy.consent", {"kind": TextKey(f"privacy.kind.{consent.kind}"), "at": consent.at})
        for consent in records.consents
    ]
    attempts = [
        catalogue.text(
            language,
            "privacy.attempt",
            {
                "method": TextKey(f"method.{attempt.method}"),
                "status": TextKey(f"privacy.status.{attempt.status}"),
                "at": attempt.created_at,
            },
        )
        for attempt in records.attempts
    ]
    bindings = [
        catalogue.text(language, "privacy.bond", {"account": mask_account(binding.account), "at": binding.at})
        for binding in records.link_bindings
    ]
    lines = [*_slot_line(catalogue, language, records), *bindings, *consents, *attempts]
    if not lines:
        yield catalogue.text(language, "privacy.nothing")
    elif len(lines) > _MAX_LINES:
        yield catalogue.text(language, "privacy.more", {"count": str(len(lines) - _MAX_LINES)})
    yield from lines[-_MAX_LINES:]
