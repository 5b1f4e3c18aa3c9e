"""The reference and the colours of an editor are made from the parser, so that they name all that it reads."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from chatscript.command_line import VERSION, main
from chatscript.language import reference, step_parser
from chatscript.language.directive_parser import DIRECTIVES
from tests.chatscript.test_script import LINES
from tests.each_case import each_case

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "docs" / "testers"


@pytest.mark.parametrize(("page", "arguments"), [("reference.md", []), ("api.md", ["--python"])])
def test_a_page_is_what_the_command_prints(page: str, arguments: list[str]) -> None:
    printed: list[str] = []

    assert main(["reference", *arguments], printed.append) == 0

    told = f"renew it: python -m chatscript.command_line reference {' '.join(arguments)}> docs/testers/{page}"
    assert (DOCUMENTS / page).read_text(encoding="utf-8").rstrip() == printed[0].rstrip(), told


def test_the_reference_names_every_mark_and_directive() -> None:
    words = {word for line in re.findall(r"`([^`]+)`", reference.reference()) for word in line.split()}

    assert words >= DIRECTIVES | step_parser.MARKS - {"~?", "<?"}


def scope_of(line: str) -> str:
    """Return the scope that the grammar gives to the mark of a line: that of the first rule with a match there."""
    for rule in reference.grammar()["patterns"]:
        if found := re.match(rule["match"], line):
            assert found.end()
            return str(rule.get("name") or rule["captures"]["1"]["name"])
    raise AssertionError(f"no rule for {line!r}")


@each_case("line", [*LINES, "    < inside a group", "title: a", "cases: a=1", "# words"])
def test_every_line_has_a_colour(line: str) -> None:
    expected = {"@": "keyword.control", ">": "entity.name", "#": "comment", "t": "keyword.other", "c": "keyword.other"}

    assert scope_of(line).startswith(expected.get(line[0], "keyword.operator"))


def test_an_unknown_line_is_marked_as_wrong() -> None:
    wrong = ["invalid.illegal.line.chat"] * 4
    assert [scope_of(line) for line in ("@unknown", "hello", "><", "<text")] == wrong


def test_an_extension_for_vs_code_is_written(tmp_path: Path) -> None:
    assert main(["vscode", str(tmp_path / "chatscript")], lambda _: None) == 0

    package = json.loads((tmp_path / "chatscript" / "package.json").read_text(encoding="utf-8"))
    named = [package["contributes"]["grammars"][0]["path"], package["contributes"]["languages"][0]["configuration"]]
    assert all((tmp_path / "chatscript" / name).is_file() for name in named)
    assert package["version"] == VERSION == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
