"""Checks a script before it runs: unknown values, unknown text keys, and whether any language can run it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from enum import Enum

from chatscript.language import steps
from chatscript.language.bot_texts import BotTexts
from chatscript.language.lexer import SyntaxProblem
from chatscript.language.patterns import (
    BotTextKey,
    ButtonPattern,
    ExpectedText,
    KeyboardPattern,
    LiteralText,
    MessagePattern,
    PatternPart,
    PersonId,
    TextPattern,
    Variable,
)
from chatscript.language.steps import AnyStep, Script


class TextRole(Enum):
    """How a step uses a text."""

    TYPED = "typed"  # a person types it, so every part must be known
    MATCHED = "matched"  # compared with the actual text
    CAPTURING = "capturing"  # compared; an unknown value captures the actual text


def texts_of_step(step: AnyStep) -> Iterator[tuple[ExpectedText, TextRole]]:
    """Yield every text of a step with its role."""
    match step:
        case (
            steps.WriteText(text=text)
            | steps.React(emoji=text)
            | steps.ForgedPress(data=text)
            | steps.TypeInlineQuery(text=text)
        ):
            yield text, TextRole.TYPED
        case steps.SendAttachment(caption=caption, file=file):
            yield from ((text, TextRole.TYPED) for text in (caption, file) if text is not None)
        case steps.OpenInApp(address=TextPattern() as address):
            yield address, TextRole.TYPED
        case _:
            yield from _texts_of_expectation(step)


def _texts_of_expectation(step: AnyStep) -> Iterator[tuple[ExpectedText, TextRole]]:
    match step:
        case steps.ExpectMark(emoji=TextPattern() as emoji):
            yield emoji, TextRole.CAPTURING
        case steps.TapButton(label=label) | steps.PhoneGesture(label=label) | steps.ChooseInlineResult(title=label):
            yield label, TextRole.MATCHED
        case steps.ExpectToast(text=text):
            yield text, TextRole.CAPTURING
        case steps.ExpectPageText(text=text, absent=absent):
            yield text, TextRole.MATCHED if absent else TextRole.CAPTURING
        case (
            steps.ExpectMessage(content=MessagePattern() as content)
            | steps.ExpectDeleted(content=MessagePattern() as content)
        ):
            yield from _of_content(content)
        case steps.ExpectInlineResults(results=results):
            yield from _of_keyboard(results)
        case steps.ForbidMessage(content=content):
            yield from ((text, TextRole.MATCHED) for text, _ in _of_content(content))
        case steps.ExpectInAnyOrder(expected=expected):
            for inner in expected:
                yield from _texts_of_expectation(inner)
        case _:
            pass


def _of_content(content: MessagePattern) -> Iterator[tuple[ExpectedText, TextRole]]:
    yield content.text, TextRole.CAPTURING
    for detail in (content.qr, content.file):
        if detail is not None:
            yield detail, TextRole.CAPTURING
    yield from _of_keyboard(content.keyboard)


def _of_keyboard(keyboard: KeyboardPattern) -> Iterator[tuple[ExpectedText, TextRole]]:
    for row in keyboard.rows:
        for button in row:
            if isinstance(button, ButtonPattern):
                yield button.label, TextRole.MATCHED
                if button.target is not None:
                    yield button.target, TextRole.CAPTURING


def find_value_problems(
    script: Script, known: Collection[str] = (), people: Collection[str] = ()
) -> list[SyntaxProblem]:
    """Find values that nothing defines, and captures that are probably typos."""
    checker = _ValueChecker({*script.cases[0], *known}, {*script.people, *people})
    for setting in script.settings:
        checker.check(setting.value, TextRole.TYPED)
    for step in script.steps:
        for text, role in texts_of_step(step):
            checker.check(text, role)
    return checker.problems + checker.likely_typos(set(script.cases[0]))


class _ValueChecker:
    def __init__(self, known: set[str], people: set[str]) -> None:
        self.problems: list[SyntaxProblem] = []
        self._known = known
        self._people = people
        self._captured: dict[str, Variable] = {}
        self._used: set[str] = set()

    def check(self, text: ExpectedText, role: TextRole) -> None:
        for part in text.parts:
            match part:
                case Variable(name=name) if name in self._known:
                    self._used.add(name)
                case Variable(name=name) if role is TextRole.CAPTURING:
                    self._known.add(name)
                    self._captured[name] = part
                case Variable(name=name, location=location):
                    near = get_close_matches(name, self._known, 1)
                    hint = f"; did you mean {{{near[0]}}}?" if near else ""
                    message = f"nothing before this line defines {{{name}}}{hint}"
                    self.problems.append(SyntaxProblem(location, message))
                case PersonId(person=person, location=location) if person not in self._people:
                    self.problems.append(SyntaxProblem(location, f"no person in this script is called {person}"))
                case _:
                    pass
        if not isinstance(text, TextPattern):
            self._known |= set(text.groups)

    def likely_typos(self, case_values: set[str]) -> list[SyntaxProblem]:
        """Find captures that are never used and are spelt almost like a value of the case."""
        return [
            SyntaxProblem(part.location, f"{{{name}}} captures any text; did you mean {{{near[0]}}}?")
            for name, part in self._captured.items()
            if name not in self._used and (near := get_close_matches(name, case_values, 1, 0.7))
        ]


def find_key_problems(script: Script, bot_texts: BotTexts, language: str, default: str) -> list[SyntaxProblem]:
    """Find keys that the bot's texts lack, and typed texts that have placeholders.

    Every person starts in `language`; `@lang` and `@texts` change it for one person.
    """
    problems = [
        problem
        for setting in script.settings
        for problem in _key_problems(setting.value, TextRole.TYPED, bot_texts, language)
    ]
    languages: dict[str, str] = {}
    person = script.people[0]
    for step in script.steps:
        match step:
            case steps.SwitchPerson(name=person):
                pass
            case steps.SwitchLanguage(code=code):
                languages[person] = bot_texts.language_for(code, default)
            case _:
                current = languages.get(person, language)
                problems += [
                    problem
                    for text, role in texts_of_step(step)
                    for problem in _key_problems(text, role, bot_texts, current)
                ]
    return problems


def _key_problems(text: ExpectedText, role: TextRole, bot_texts: BotTexts, language: str) -> Iterator[SyntaxProblem]:
    for part in text.parts:
        if isinstance(part, BotTextKey) and (
            reason := bot_texts.find_problem(language, part.name, typed=role is TextRole.TYPED)
        ):
            yield SyntaxProblem(part.location, reason)


def is_language_independent(script: Script) -> bool:
    """Return whether all expected texts are written by keys, so that the script can run in any language."""
    fixed = any(isinstance(step, steps.SwitchLanguage) for step in script.steps)
    expected = (text for text, role in _all_texts(script) if role is not TextRole.TYPED)
    keyed = any(isinstance(part, BotTextKey) for text, _ in _all_texts(script) for part in text.parts)
    return keyed and not fixed and not any(_has_letters(part) for text in expected for part in text.parts)


def text_keys_of(script: Script) -> list[str]:
    """Return the text keys that a script uses."""
    return list(
        dict.fromkeys(
            part.name for text, _ in _all_texts(script) for part in text.parts if isinstance(part, BotTextKey)
        )
    )


def _has_letters(part: PatternPart) -> bool:
    return isinstance(part, LiteralText) and any(character.isalpha() for character in part.text)


def _all_texts(script: Script) -> Iterator[tuple[ExpectedText, TextRole]]:
    for setting in script.settings:
        yield setting.value, TextRole.TYPED
    for step in script.steps:
        yield from texts_of_step(step)
