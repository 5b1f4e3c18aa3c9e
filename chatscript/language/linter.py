"""What can be told about a script before it runs: unknown values, missing sentences, its languages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from enum import Enum

from chatscript.language import steps
from chatscript.language.bot_texts import Catalogue
from chatscript.language.lexer import Wrong
from chatscript.language.patterns import Button, Content, Key, Keyboard, Literal, Part, PersonId, Text, Variable, Wanted
from chatscript.language.steps import AnyStep, Script


class Role(Enum):
    """What a text is for."""

    TYPED = "typed"  # must be known word for word
    MATCHED = "matched"  # compared with what is there
    CAPTURING = "capturing"  # compared too; unknown values are taken from what is there


def texts(step: AnyStep) -> Iterator[tuple[Wanted, Role]]:
    """List every text in a step with its role."""
    match step:
        case steps.Write(text=text) | steps.Send(caption=text) | steps.Forge(data=text) | steps.Ask(text=text):
            yield text, Role.TYPED
        case steps.Scan(address=Text() as address):
            yield address, Role.TYPED
        case steps.Tap(label=label) | steps.Touch(label=label) | steps.Choose(title=label):
            yield label, Role.MATCHED
        case steps.Toast(text=text):
            yield text, Role.CAPTURING
        case steps.Page(text=text, absent=absent):
            yield text, Role.MATCHED if absent else Role.CAPTURING
        case steps.Hear(content=Content() as content) | steps.Vanish(content=Content() as content):
            yield from _of_content(content)
        case steps.Offer(results=results):
            yield from _of_keyboard(results)
        case _:
            pass


def _of_content(content: Content) -> Iterator[tuple[Wanted, Role]]:
    yield content.text, Role.CAPTURING
    for detail in (content.qr, content.file):
        if detail is not None:
            yield detail, Role.CAPTURING
    yield from _of_keyboard(content.keyboard)


def _of_keyboard(keyboard: Keyboard) -> Iterator[tuple[Wanted, Role]]:
    for row in keyboard.rows:
        for button in row:
            if isinstance(button, Button):
                yield button.label, Role.MATCHED
                if button.target is not None:
                    yield button.target, Role.CAPTURING


def value_mistakes(script: Script, known: Collection[str] = (), people: Collection[str] = ()) -> list[Wrong]:
    """Find values that nothing gives, and captures that are probably slips of the pen."""
    found = _Values({*script.cases[0], *known}, {*script.people, *people})
    for setting in script.settings:
        found.read(setting.value, Role.TYPED)
    for step in script.steps:
        for text, role in texts(step):
            found.read(text, role)
    return found.mistakes + found.slips(set(script.cases[0]))


class _Values:
    def __init__(self, known: set[str], people: set[str]) -> None:
        self.mistakes: list[Wrong] = []
        self._known = known
        self._people = people
        self._captured: dict[str, Variable] = {}
        self._used: set[str] = set()

    def read(self, text: Wanted, role: Role) -> None:
        for part in text.parts:
            match part:
                case Variable(name=name) if name in self._known:
                    self._used.add(name)
                case Variable(name=name) if role is Role.CAPTURING:
                    self._known.add(name)
                    self._captured[name] = part
                case Variable(name=name, place=place):
                    near = get_close_matches(name, self._known, 1)
                    hint = f"; did you mean {{{near[0]}}}?" if near else ""
                    message = f"nothing before this line gives {{{name}}}{hint}"
                    self.mistakes.append(Wrong(place, message))
                case PersonId(person=person, place=place) if person not in self._people:
                    self.mistakes.append(Wrong(place, f"nobody in this script is called {person}"))
                case _:
                    pass
        if not isinstance(text, Text):
            self._known |= set(text.groups)

    def slips(self, of_case: set[str]) -> list[Wrong]:
        """A capture that nobody uses and that is spelt almost like a value of the case."""
        return [
            Wrong(part.place, f"{{{name}}} would match anything; did you mean {{{near[0]}}}?")
            for name, part in self._captured.items()
            if name not in self._used and (near := get_close_matches(name, of_case, 1, 0.7))
        ]


def key_mistakes(script: Script, catalogue: Catalogue, language: str, default: str) -> list[Wrong]:
    """Find keys that the catalogue lacks, and sentences with holes that somebody would type.

    Everybody begins in `language`; `@lang` and `@texts` change it for one person.
    """
    mistakes = [wrong for setting in script.settings for wrong in _keys(setting.value, Role.TYPED, catalogue, language)]
    spoken: dict[str, str] = {}
    person = script.people[0]
    for step in script.steps:
        match step:
            case steps.Person(name=person):
                pass
            case steps.Language(code=code):
                spoken[person] = catalogue.name_of(code, default)
            case _:
                now = spoken.get(person, language)
                mistakes += [wrong for text, role in texts(step) for wrong in _keys(text, role, catalogue, now)]
    return mistakes


def _keys(text: Wanted, role: Role, catalogue: Catalogue, language: str) -> Iterator[Wrong]:
    for part in text.parts:
        if isinstance(part, Key) and (why := catalogue.why_not(language, part.name, typed=role is Role.TYPED)):
            yield Wrong(part.place, why)


def speaks_any_language(script: Script) -> bool:
    """Tell whether all that it expects is written by keys, so that each language can play it."""
    fixed = any(isinstance(step, steps.Language) for step in script.steps)
    expected = (text for text, role in _all_texts(script) if role is not Role.TYPED)
    keyed = any(isinstance(part, Key) for text, _ in _all_texts(script) for part in text.parts)
    return keyed and not fixed and not any(_has_words(part) for text in expected for part in text.parts)


def keys_of(script: Script) -> list[str]:
    """List the keys that a script names."""
    return list(
        dict.fromkeys(part.name for text, _ in _all_texts(script) for part in text.parts if isinstance(part, Key))
    )


def _has_words(part: Part) -> bool:
    return isinstance(part, Literal) and any(sign.isalpha() for sign in part.text)


def _all_texts(script: Script) -> Iterator[tuple[Wanted, Role]]:
    for setting in script.settings:
        yield setting.value, Role.TYPED
    for step in script.steps:
        yield from texts(step)
