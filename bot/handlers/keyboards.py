"""Builds keyboards. The callback data of a button name a choice and the id of its question, never a person's data.

The keyboards of questions are built as the Bot API takes them: the library's objects cost as much as a call.
"""

from typing import Any
from urllib.parse import urlsplit

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.content.catalogue import LANGUAGES, Catalogue
from bot.flow.effects import (
    Button,
    ChoiceButton,
    CopyLinkButton,
    FormButton,
    LanguagesButton,
    OpenLinkButton,
    RemindersOffButton,
    Rows,
    ShowCodeButton,
    TopicButton,
    UrlButton,
)
from bot.flow.events import Choice, SideMessage
from bot.handlers.incoming import QUESTION_PREFIX
from verification.providers.addresses import is_elsewhere

_STYLES = {
    Choice.BEGIN: "primary",
    Choice.PERSONAL: "primary",
    Choice.MINE: "success",
    Choice.AGREE: "success",
    Choice.CONFIRM: "success",
    Choice.TRY_AGAIN: "primary",
}


PlainMarkup = dict[str, Any]
"""A keyboard as the Bot API takes it."""


def keyboard(
    catalogue: Catalogue, language: str, rows: Rows, question_id: str, *, form_url: str | None = None
) -> PlainMarkup | None:
    """The keyboard of a question; None when it has no buttons. `form_url` is where its private form is."""
    built = [
        [made for button in row if (made := _button(catalogue, language, button, question_id, form_url))]
        for row in rows
    ]
    filled = [row for row in built if row]
    return {"inline_keyboard": filled} if filled else None


def languages(catalogue: Catalogue, language: str) -> InlineKeyboardMarkup:
    """The keyboard with the languages."""
    buttons = [
        side_button(SideMessage.LANGUAGE, choice=code, label=catalogue.text(language, f"language.{code}"))
        for code in LANGUAGES
    ]
    return InlineKeyboardMarkup([buttons])


def side_button(
    kind: SideMessage, *, choice: str, label: str, question_id: str = "", style: str | None = None
) -> InlineKeyboardButton:
    """A button of a side message."""
    return InlineKeyboardButton(label, callback_data=_side_data(kind, choice, question_id), style=style)


def _side_data(kind: SideMessage, *words: str) -> str:
    return ":".join(filter(None, (kind, *words)))


def localised(link: str, *, language: str) -> str:
    """The address of a phone page in the chat's language; a page without `lang` is in Chinese."""
    return link if language == "zh" else f"{link}?lang={language}"


def is_public(link: str) -> bool:
    """Whether another device can open this address; Telegram refuses a URL button for a host without a dot."""
    return is_elsewhere(urlsplit(link).hostname or "")


def _button(
    catalogue: Catalogue, language: str, button: Button, question_id: str, form_url: str | None
) -> PlainMarkup | None:
    match button:
        case ChoiceButton(choice, is_resting):
            data = f"{QUESTION_PREFIX}:{choice}:{question_id}"
            label = catalogue.text(language, f"choice.{choice}")
            if is_resting:
                label = f"{catalogue.text(language, 'button.resting')} {label}"
            made = {"text": label, "callback_data": data}
            style = _STYLES.get(choice)
            return made if style is None else {**made, "style": style}
        case TopicButton() | LanguagesButton() | ShowCodeButton() | RemindersOffButton():
            return _side(catalogue, language, button)
        case UrlButton(link):
            label, url = catalogue.text(language, f"link.{link}.label"), catalogue.text(language, f"link.{link}.url")
            return {"text": label, "url": url} if url else None
        case CopyLinkButton(link):
            copied = {"text": localised(link, language=language)}
            return {"text": catalogue.text(language, "button.copy_link"), "copy_text": copied}
        case OpenLinkButton(link):
            label = catalogue.text(language, "button.open_here")
            return {"text": label, "url": localised(link, language=language)} if is_public(link) else None
        case FormButton():
            return None if form_url is None else _form(catalogue, language, form_url)


def _side(
    catalogue: Catalogue, language: str, button: TopicButton | LanguagesButton | ShowCodeButton | RemindersOffButton
) -> PlainMarkup:
    """A button that does not answer the question, and works in every state."""
    match button:
        case TopicButton(topic, label):
            entry = catalogue.entry(language, topic)
            title = catalogue.text(language, label or "button.faq")
            if entry is not None and label is None:
                title = f"❓ {entry.title}"
            side, choice = SideMessage.FAQ, "open" if entry is None else f"open.{topic}"
        case LanguagesButton():
            title, side, choice = catalogue.text(language, "button.language"), SideMessage.LANGUAGE, "choose"
        case ShowCodeButton():
            title, side, choice = catalogue.text(language, "button.show_code"), SideMessage.CODE, "show"
        case RemindersOffButton():
            title, side, choice = catalogue.text(language, "button.reminders_off"), SideMessage.REMINDER, "off"
    return {"text": title, "callback_data": _side_data(side, choice)}


def _form(catalogue: Catalogue, language: str, form_url: str) -> PlainMarkup:
    """The button of the private form; Telegram opens an https page as a Mini App, and any other in the browser."""
    label, url = catalogue.text(language, "button.form"), localised(form_url, language=language)
    return {"text": label, "web_app": {"url": url}} if url.startswith("https:") else {"text": label, "url": url}
