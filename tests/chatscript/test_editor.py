"""The editor extension in the engine of Visual Studio Code: how the parts of each line are coloured, and what folds."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chatscript.language.reference import extension
from tests.chatscript.test_script import LINES

EDITOR = Path(__file__).with_name("editor")
SCRIPTS = sorted(EDITOR.parents[1].rglob("*.chat"))
PERSON, BOT, DIRECTIVE = "entity.name.function.person", "keyword.operator.bot", "keyword.control.directive"
TEXT, BUTTON, WILDCARD, KIND = "text", "string.quoted.button", "keyword.operator.wildcard", "support.type.kind"
HEADER, COLON, VALUE = "keyword.other.header", "punctuation.separator", "variable.other.value"

PARTS = {
    "# words [A] {b}": [("# words [A] {b}", "comment.line.number-sign")],
    "title: Anna: a [b]": [("title", HEADER), (":", COLON), (" Anna: a ", TEXT), ("[b]", BUTTON)],
    "cases: a=1 | a=2": [("cases", HEADER), (":", COLON), (" a=1 | a=2", TEXT)],
    "@wait 10m": [("@wait", DIRECTIVE), (" 10m", "string.unquoted")],
    "@fail sendPhoto 429 2": [("@fail", DIRECTIVE), (" sendPhoto 429 2", "string.unquoted")],
    "@page! /[45]..$/": [("@page!", DIRECTIVE), (" /[45]..$/", "string.unquoted")],
    "> {name}": [(">", PERSON), (" ", TEXT), ("{name}", VALUE)],
    ">> [A]": [(">>", PERSON), (" ", TEXT), ("[A]", BUTTON)],
    "> (photo) a (b)": [(">", PERSON), (" ", TEXT), ("(photo)", KIND), (" a (b)", TEXT)],
    "> [A]@2.1": [(">", PERSON), (" ", TEXT), ("[A]@2.1", BUTTON)],
    "< a... {t:key} [A] / [B -> https://example.org/...]": [
        ("<", BOT),
        (" a", TEXT),
        ("...", WILDCARD),
        (" ", TEXT),
        ("{t:key}", VALUE),
        (" ", TEXT),
        ("[A]", BUTTON),
        (" / ", TEXT),
        ("[B -> https://example.org/...]", BUTTON),
    ],
    "< /a[0-9]+ b/i": [("<", BOT), (" ", TEXT), ("/a[0-9]+ b/i", "string.regexp")],
    r"< \[no button\] 1/2/3": [
        ("<", BOT),
        (" ", TEXT),
        (r"\[", "constant.character.escape"),
        ("no button", TEXT),
        (r"\]", "constant.character.escape"),
        (" 1/2/3", TEXT),
    ],
    "<? a": [("<?", BOT), (" a", TEXT)],
    "~! a": [("~!", BOT), (" a", TEXT)],
    "x > a": [("x", BOT), (" > a", TEXT)],
    "!! a": [("!!", BOT), (" a", TEXT)],
    "...": [("...", BOT)],
    "    | more > words": [("    ", TEXT), ("|", "punctuation.definition.text"), (" more > words", TEXT)],
    "    qr: https://example.org/{code}": [
        ("    ", TEXT),
        ("qr", "variable.parameter.detail"),
        (":", COLON),
        (" https://example.org/", TEXT),
        ("{code}", VALUE),
    ],
    "    [A] / [B]": [("    ", TEXT), ("[A]", BUTTON), (" / ", TEXT), ("[B]", BUTTON)],
    "hello": [("hello", "invalid.illegal.line")],
    "@unknown 1": [("@unknown 1", "invalid.illegal.line")],
}


def coloured(*texts: str, folder: Path) -> list[list[list[tuple[str, str]]]]:
    """Return the parts of each line of each text with their innermost scope."""
    node = shutil.which("node")
    if node is None or not (EDITOR / "node_modules").exists():
        pytest.skip(f"no engine for the grammar: npm install --prefix {EDITOR}")
    path = folder / "chat.tmLanguage.json"
    path.write_text(extension("0")[path.name], encoding="utf-8")
    command = [node, str(EDITOR / "tokens.js"), str(path)]
    said = subprocess.run(command, check=True, input=json.dumps(texts), capture_output=True, encoding="utf-8").stdout
    return [
        [[(part, scope.removesuffix(".chat")) for part, scope in line] for line in lines] for lines in json.loads(said)
    ]


@pytest.mark.slow("products")
def test_every_part_of_a_line_has_its_colour_in_the_engine(tmp_path: Path) -> None:
    [lines] = coloured("\n".join(PARTS), folder=tmp_path)

    assert dict(zip(PARTS, lines, strict=True)) == PARTS


@pytest.mark.slow("products")
def test_every_line_of_the_reference_has_a_colour_in_the_engine(tmp_path: Path) -> None:
    [lines] = coloured("\n".join(LINES), folder=tmp_path)

    marks = {">": PERSON, "@": DIRECTIVE}
    assert [line[0] for line in lines] == [(line.split()[0], marks.get(line[0], BOT)) for line in LINES]


@pytest.mark.slow("products")
def test_no_line_of_our_scripts_is_marked_as_wrong(tmp_path: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in SCRIPTS]
    scripts = coloured(*texts, folder=tmp_path)

    assert len(scripts) == len(SCRIPTS) > 50
    assert [part for script in scripts for line in script for part in line if "invalid" in part[1]] == []


def test_a_part_of_a_script_folds_between_its_markers() -> None:
    folding = json.loads(extension("0")["language-configuration.json"])["folding"]

    lines = ["# region Login", "> /start", "  # endregion", "# endregion", "#endregion", "# regional"]
    found = [[bool(re.search(folding["markers"][side], line)) for line in lines] for side in ("start", "end")]
    assert found == [[True, False, False, False, False, False], [False, False, False, True, True, False]]
    assert folding["offSide"]
