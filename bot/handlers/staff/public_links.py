"""Links that anybody may open again and again, for a page or a wall: to a way, a language, a topic of the FAQ."""

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot import links
from bot.content.catalogue import LANGUAGES, Catalogue
from bot.handlers.side_messages import Screen
from bot.handlers.staff.command_parser import Press, Verb, language_in, method_of
from bot.handlers.staff.replies import Voice
from verification.attempts import Method

_LIST = "faq"


def named(words: str, catalogue: Catalogue, language: str) -> str | None:
    """What a link is wanted to, in the one word that names it; None for nothing there is."""
    word = words.strip()
    found = method_of(word) or language_in(word) or word.casefold()
    topics = {entry.id for entry in catalogue.faq[language]}
    return found if found in {*Method, *LANGUAGES, _LIST, *topics} else None


def address(word: str, bot: str) -> str:
    """The link to what a word names."""
    if word in set(Method):
        return links.to_way(bot, Method(word))
    if word in LANGUAGES:
        return links.to_language(bot, word)
    return links.to_topic(bot, "" if word == _LIST else word)


def screen(voice: Voice, word: str, link: str) -> Screen:
    """A shared link, to stand under its code."""
    copy = InlineKeyboardButton(voice.text("button.copy"), copy_text=CopyTextButton(link))
    keys = InlineKeyboardMarkup([[copy, voice.button("print", Press(Verb.POSTER, word))]])
    return Screen(voice.text("share", {"to": _title(voice, word), "link": link}), keys)


def _title(voice: Voice, word: str) -> str:
    if word in set(Method):
        return voice.catalogue.text(voice.language, f"method.{word}")
    if word in LANGUAGES:
        return voice.catalogue.text(voice.language, f"language.{word}")
    entry = voice.catalogue.entry(voice.language, word)
    return entry.title if entry else voice.text("share_list")
