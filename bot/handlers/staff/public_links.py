"""Public links, which anybody may open any number of times: to a method, a language, or a topic of the FAQ."""

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot import links
from bot.content.catalogue import LANGUAGES, Catalogue
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.command_parser import ButtonAction, ButtonData, language_in, method_in
from bot.handlers.staff.replies import StaffTexts
from verification.attempts import TYPED_METHODS, Method

_LIST = "faq"


def read_target(text: str, catalogue: Catalogue, language: str) -> str | None:
    """The target that a word names: a method that is on, a language, an FAQ topic's id or `faq`; None for none."""
    word = text.strip()
    target = method_in(word) or language_in(word) or word.casefold()
    topics = {entry.id for entry in catalogue.faq[language]}
    return target if target in {*catalogue.methods, *LANGUAGES, _LIST, *topics} else None


def public_link(target: str, *, bot: str) -> str:
    """The link to a target that `read_target` gave."""
    if target in set(TYPED_METHODS):
        return links.to_method(bot, Method(target))
    if target in LANGUAGES:
        return links.to_language(bot, language=target)
    return links.to_topic(bot, topic="" if target == _LIST else target)


def render_public_link(texts: StaffTexts, target: str, *, link: str) -> MessageContent:
    """The caption of a public link's QR code."""
    copy = InlineKeyboardButton(texts.text("button.copy"), copy_text=CopyTextButton(link))
    markup = InlineKeyboardMarkup([[copy, texts.button("print", ButtonData(ButtonAction.POSTER, target))]])
    return MessageContent(texts.text("share", {"to": _title(texts, target), "link": link}), markup)


def _title(texts: StaffTexts, target: str) -> str:
    if target in set(TYPED_METHODS):
        return texts.catalogue.text(texts.language, f"method.{target}")
    if target in LANGUAGES:
        return texts.catalogue.text(texts.language, f"language.{target}")
    entry = texts.catalogue.entry(texts.language, target)
    return entry.title if entry else texts.text("share_list")
