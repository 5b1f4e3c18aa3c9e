"""Every word that a question offers works when it is typed, in every state and in both languages.

The words are taken from the questions themselves: the labels of their buttons, the words after a command
(`/back 不改了`), and what stands in quotation marks.
"""

import re
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.content.search import TopicSearch
from bot.flow import effects as e
from bot.flow import states
from bot.flow.events import Command, Commanded, Event, Said, Tapped
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from tests.bot.flow.effect_texts import buttons, texts_in
from tests.bot.flow.samples import CONTEXT, STATES, label
from tests.each_case import each_case

CATALOGUE = load(days=30)
REAL_CONTEXT = replace(CONTEXT, topics_in=TopicSearch(CATALOGUE.faq).topics)
COMMANDS = re.compile(r"/(back|cancel|faq|help|human|start|status)(?: ([^/·\u3000\n<。，.]+))?")
QUOTED = re.compile("「([^」]+)」|“([^”]+)”")
NOT_UNDERSTOOD = {"misc.not_understood", "misc.no_answer"}

in_each_language = pytest.mark.parametrize("language", LANGUAGES)
in_each_state = each_case("state", STATES, label)


def shown_texts(state: states.State, language: str) -> list[str]:
    """The question of a state in full and in few words, as a person reads it."""
    question = prompt(state)
    shown = [CATALOGUE.text(language, key, values) for key, values in texts_in(question)]
    if isinstance(question, e.AskQuestion):
        shown.append(CATALOGUE.text(language, f"{question.text}_again", question.values))
    return shown


LABELS: dict[type[e.Button], str] = {
    e.LanguagesButton: "button.language",
    e.ShowCodeButton: "button.show_code",
    e.CopyLinkButton: "button.copy_link",
    e.OpenLinkButton: "button.open_here",
    e.FormButton: "button.form",
}


def words_of_button(button: e.Button, language: str) -> str:
    match button:
        case e.ChoiceButton(choice):
            return CATALOGUE.text(language, f"choice.{choice}")
        case e.TopicButton(topic, label):
            entry = CATALOGUE.entry(language, topic)
            return entry.title if entry and label is None else CATALOGUE.text(language, label or "button.faq")
        case e.UrlButton(link):
            return CATALOGUE.text(language, f"link.{link}.label")
        case _:
            return CATALOGUE.text(language, LABELS[type(button)])


def does_what_the_button_does(button: e.Button, state: states.State, text: str) -> bool:
    step = advance(state, Said(text), REAL_CONTEXT)
    match button:
        case e.ChoiceButton(choice):
            tapped = Tapped(choice=choice, question_id=state.question_id)
            pressed = advance(state, tapped, REAL_CONTEXT).state
            if isinstance(pressed, states.Opening) and isinstance(state, states.Scanning | states.Expired):
                # A code that is wished for in words comes below them.
                pressed = replace(pressed, is_below=True)
            return step.state == pressed
        case e.TopicButton(topic):
            return any(isinstance(effect, e.ShowFaq) and effect.topic == topic for effect in step.effects)
        case e.LanguagesButton():
            return e.ShowLanguages() in step.effects
        case _:
            return any(button in buttons(effect) for effect in step.effects)


def words_by_commands(state: states.State, language: str) -> Iterator[tuple[str, Command]]:
    """The words that stand after a command."""
    for text in shown_texts(state, language):
        for command, words in COMMANDS.findall(text):
            yield f"/{command}", Command(command)
            if words.strip():
                yield words.strip(), Command(command)


def quoted_words(state: states.State, language: str) -> set[str]:
    found = {pair for text in shown_texts(state, language) for pair in QUOTED.findall(text)}
    return {one or other for one, other in found} - {"·"}


@in_each_language
@in_each_state
def test_the_label_of_every_button_works_when_it_is_typed(state: states.State, language: str) -> None:
    failed = [
        (text, button)
        for button in buttons(prompt(state))
        for text in [words_of_button(button, language)]
        if not does_what_the_button_does(button, state, text)
    ]

    assert failed == []


@in_each_language
@in_each_state
def test_the_words_after_a_command_do_what_the_command_does(state: states.State, language: str) -> None:
    for words, command in words_by_commands(state, language):
        event: Event = Commanded(command) if words.startswith("/") else Said(words)

        assert advance(state, event, REAL_CONTEXT).state == advance(state, Commanded(command), REAL_CONTEXT).state, (
            words
        )


@in_each_language
@in_each_state
def test_what_a_question_quotes_is_understood(state: states.State, language: str) -> None:
    for words in quoted_words(state, language):
        step = advance(state, Said(words), REAL_CONTEXT)
        keys = {key for effect in step.effects for key, _ in texts_in(effect)}

        assert not keys & NOT_UNDERSTOOD, words


@in_each_language
def test_the_questions_offer_words_of_each_kind(language: str) -> None:
    """So the tests above try something."""
    assert sum(len(buttons(prompt(state))) for state in STATES) > 50
    commands = {command for state in STATES for _, command in words_by_commands(state, language)}
    assert commands >= {Command.CANCEL}
    assert len({words for state in STATES for words in quoted_words(state, language)}) > 5


@in_each_language
@pytest.mark.parametrize("kind", [states.AskingName, states.ChangingName])
def test_no_label_of_any_button_becomes_a_name(kind: type[states.State], language: str) -> None:
    state = next(state for state in STATES if isinstance(state, kind))
    for button in {button for other in STATES for button in buttons(prompt(other))}:
        after = advance(state, Said(words_of_button(button, language)), REAL_CONTEXT).state

        assert not isinstance(after, states.AskingNumber | states.CheckingName), button
        if isinstance(after, states.Identified) and isinstance(state, states.Identified):
            assert after.identity == state.identity, button
