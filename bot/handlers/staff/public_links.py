"""Links that anybody may open again and again, for a page or a wall: to a way, a language, a topic of the FAQ."""

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot import links
from bot.content.catalogue import LANGUAGES, Catalogue
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.command_parser import ButtonAction, ButtonData, language_in, method_in
from bot.handlers.staff.replies import StaffTexts
from verification.attempts import Method

_LIST = "faq"


def read_target(words: str, catalogue: Catalogue, language: str) -> str | None:
    """What a link is wanted to, in the one word that names it; None for nothing there is."""
    word = words.strip()
    found = method_in(word) or language_in(word) or word.casefold()
    topics = {entry.id for entry in catalogue.faq[language]}
    return found if found in {*Method, *LANGUAGES, _LIST, *topics} else None


def public_link(word: str, *, bot: str) -> str:
    """The link to what a word names."""
    if word in set(Method):
        return links.to_method(bot, Method(word))
    if word in LANGUAGES:
        return links.to_language(bot, language=word)
    return links.to_topic(bot, topic="" if word == _LIST else word)


def render_public_link(texts: StaffTexts, word: str, *, link: str) -> MessageContent:
    """A shared link, to stand under its code."""
    copy = InlineKeyboardButton(texts.text("button.copy"), copy_text=CopyTextButton(link))
    keys = InlineKeyboardMarkup([[copy, texts.button("print", ButtonData(ButtonAction.POSTER, word))]])
    return MessageContent(texts.text("share", {"to": _title(texts, word), "link": link}), keys)


def _title(texts: StaffTexts, word: str) -> str:
    if word in set(Method):
        return texts.catalogue.text(texts.language, f"method.{word}")
    if word in LANGUAGES:
        return texts.catalogue.text(texts.language, f"language.{word}")
    entry = texts.catalogue.entry(texts.language, word)
    return entry.title if entry else texts.text("share_list")
