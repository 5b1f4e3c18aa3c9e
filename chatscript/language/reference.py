"""The language reference and the colours of an editor, made from the parser's own tables.

`chatscript reference` prints the reference; `chatscript vscode FOLDER` writes an extension for Visual Studio Code.
"""

from __future__ import annotations

import inspect
import json
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chatscript.language import directive_parser, step_parser, steps
from playground.phone.apps import PhoneApp
from playground.world.membership import ROLES

HEADERS = ("title", "cases", "case")
_SYNTAX = re.compile(r"(?P<lines>`[^`]+`(?:, `[^`]+`)*)(?:[:;] ?| )(?P<meaning>.+)", re.DOTALL)
_MARKS = tuple(sorted((re.escape(mark) for mark in step_parser.MARKS), key=len, reverse=True))


def reference() -> str:
    """Return the reference as Markdown: every line of a script, and every word that a line may have."""
    lines = [
        "# Reference of the script language",
        "",
        "Made from the parser by `chatscript reference`. [scripts.md](scripts.md) explains the same at length.",
        "",
        "| Line | Meaning |",
        "|---|---|",
        *(f"| {syntax} | {meaning} |" for syntax, meaning in _steps()),
        "| `@include FILE` | the steps of another script stand here |",
        "",
        "| Words | Of |",
        "|---|---|",
        *(f"| {', '.join(f'`{word}`' for word in sorted(words))} | {what} |" for what, words in _WORDS.items()),
        "",
        "| In a text | Meaning |",
        "|---|---|",
        *(f"| `{words}` | {meaning} |" for words, meaning in _IN_TEXTS.items()),
        "",
    ]
    return "\n".join(lines)


_WORDS: Mapping[str, Sequence[str]] = {
    "the header, before the first step": [f"{name}:" for name in HEADERS],
    "what a person sends: `> (word) caption`": tuple(step_parser.SENDABLE_KINDS),
    "what a person sends with a line `file:` below": tuple(step_parser.FILE_KINDS),
    "what a bot sends: `< (word) caption`": tuple(step_parser.EXPECTED_KINDS),
    "how a call fails: `@fail METHOD word`": directive_parser.FAULT_KINDS,
    "the apps of `@scan`": tuple(PhoneApp),
    "the roles of `@role` and `@bot-role`": ROLES,
}
_IN_TEXTS = {
    "...": "anything, also nothing",
    "/regex/, /regex/i": "a regular expression, as the whole text",
    "{name}": "a value; an unknown name captures what is there",
    "{t:key}": "the bot's text with that key",
    "{id:A}": "the id of a person",
    "[Label]": "a button; `/` begins a new row, `->` is followed by the address of a link",
    "[*]": "one or more buttons of any kind",
    "\\": "makes the next mark literal",
    "    \\| words": "one more line of the text above",
}


def _steps() -> Iterator[tuple[str, str]]:
    """Yield the syntax and the meaning of every kind of line, from the docstrings of the typed steps."""
    kinds = [*typing.get_args(steps.AnyStep), steps.ExpectInAnyOrder, steps.BotSetting]
    for kind in dict.fromkeys(kinds):
        found = _SYNTAX.fullmatch(" ".join((kind.__doc__ or "").split()))
        assert found is not None, f"{kind.__name__}: its docstring begins with the line in backticks"  # noqa: S101
        yield found["lines"].replace("|", "\\|"), found["meaning"].replace("|", "\\|")


def python_reference(*kinds: type) -> str:
    """Return the public methods of some classes as Markdown, from their signatures and docstrings."""
    lines = ["# Scripts in Python", "", "Made from the code by `chatscript reference --python`."]
    for kind in kinds:
        lines += ["", f"## {kind.__name__}", "", inspect.getdoc(kind) or "", "", "| Member | Meaning |", "|---|---|"]
        for name, member in vars(kind).items():
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                taken = "" if isinstance(member, property) else _arguments(member)
                waits = "await " if inspect.iscoroutinefunction(member) else ""
                meaning = " ".join((inspect.getdoc(member) or "").split())
                lines.append(f"| `{waits}{name}{taken}` | {meaning} |")
    return "\n".join([*lines, ""])


def _arguments(function: Callable[..., object]) -> str:
    taken = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    # Python 3.13 names the module in which it keeps its paths.
    return f"({', '.join(map(str, taken))})".replace("|", "\\|").replace("pathlib._local.", "pathlib.")


def extension(version: str) -> dict[str, str]:
    """Return the files of an extension for Visual Studio Code by their path: syntax colours, comments and folding."""
    language = {"id": "chat", "extensions": [".chat"], "aliases": ["Chat script"]}
    language["configuration"] = "./language-configuration.json"
    package = {
        "name": "chatscript",
        "displayName": "Chat scripts",
        "version": version,
        "publisher": "chatscript",
        "license": "MIT",
        "engines": {"vscode": "^1.60.0"},
        "contributes": {
            "languages": [language],
            "grammars": [{"language": "chat", "scopeName": "text.chat", "path": "./chat.tmLanguage.json"}],
        },
    }
    configuration = {
        "comments": {"lineComment": "#"},
        "brackets": [["[", "]"], ["{", "}"]],
        "autoClosingPairs": [["[", "]"], ["{", "}"]],
        # Indented lines fold below their step; longer parts fold between `# region` and `# endregion`.
        "folding": {"offSide": True, "markers": {"start": r"^#\s*region\b", "end": r"^#\s*endregion\b"}},
    }
    files = {
        "package.json": package,
        "language-configuration.json": configuration,
        "chat.tmLanguage.json": grammar(),
    }
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in files.items()}


def grammar() -> dict[str, Any]:
    """Return a TextMate grammar."""
    directives = "|".join(sorted((re.escape(name) for name in directive_parser.DIRECTIVES), key=len, reverse=True))
    kinds = "|".join(sorted(step_parser.EXPECTED_KINDS | step_parser.SENDABLE_KINDS | step_parser.PERSON_WORDS))
    person = r"(?:>>|>)"
    bot = f"(?:{'|'.join(mark for mark in _MARKS if not re.match(person, mark))})"
    lines = [
        _pattern("comment.line.number-sign.chat", r"^\s*#.*$"),
        _captured(rf"^({'|'.join(HEADERS)})(\s*:)", "keyword.other.header.chat", "punctuation.separator.chat"),
        _captured(rf"^\s*({directives})(?=\s|$)(.*)$", "keyword.control.directive.chat", "string.unquoted.chat"),
        _captured(rf"^\s*({bot})(?=\s|$)", "keyword.operator.bot.chat"),
        _captured(rf"^({person})(?=\s|$)", "entity.name.function.person.chat"),
        _captured(r"^\s+(\|)", "punctuation.definition.text.chat"),
        _captured(r"^\s+(qr|file)(:)", "variable.parameter.detail.chat", "punctuation.separator.chat"),
        _pattern("invalid.illegal.line.chat", r"^(?!\s+\[)\s*\S.*$"),  # no line of the language begins so
        _pattern("support.type.kind.chat", rf"(?<=[>~<x!?] )\((?:{kinds})\)"),
        _pattern("constant.character.escape.chat", r"\\[^\w\s]"),
        _pattern("variable.other.value.chat", r"\{[^{}]*\}"),
        _pattern("string.regexp.chat", r"(?<=[>~<x!?] )/(?:\\.|[^/\\])+/i?(?=\s|$)"),
        _pattern("keyword.operator.wildcard.chat", r"\.{3}"),
        _pattern("string.quoted.button.chat", r"\[(?:\\.|[^\[\]\\])*\](?:@\d+(?:\.\d+)?)?"),
    ]
    return {"name": "Chat script", "scopeName": "text.chat", "fileTypes": ["chat"], "patterns": lines}


def _pattern(name: str, match: str) -> dict[str, Any]:
    return {"name": name, "match": match}


def _captured(match: str, *names: str) -> dict[str, Any]:
    return {"match": match, "captures": {str(number): {"name": name} for number, name in enumerate(names, 1)}}
