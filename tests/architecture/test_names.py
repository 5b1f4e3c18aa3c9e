"""One word for one thing: the glossary and the code agree, and no name means two things."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "chatscript", "playground", "storage", "verification", "web")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
DESCRIBED = ("verification", "bot/engine")
"""The packages whose every public class stands in the glossary."""
MOST_MODULES = 16

RETIRED = {
    "clerk", "crowd", "hither", "lane", "lanes", "litter", "mortal", "nameplate", "nursery", "shall", "thereof",
    "wanderer", "whoever", "whosoever",
}  # fmt: skip
"""Words that the vocabulary replaced; `nursery` survives as a hidden command for one release."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_defined_in(module: ast.Module) -> Iterator[str]:
    """Yield every class, function, constant and field that a module defines."""
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


@cache
def definitions_of(path: Path) -> tuple[set[str], list[str]]:
    """Every name that a file defines, and its public classes; parsing all files takes a second."""
    module = tree(path)
    classes = [node.name for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    return set(names_defined_in(module)), classes


def classes_of(path: Path) -> list[str]:
    return definitions_of(path)[1]


def glossary_names() -> list[str]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## Glossary\n")[2]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def test_every_name_of_the_glossary_is_in_the_code() -> None:
    defined = {name for path in SOURCES for name in definitions_of(path)[0]}
    names = glossary_names()

    assert len(names) > 100
    assert [name for name in names if name not in defined] == []


def test_no_name_stands_twice_in_the_glossary() -> None:
    names = glossary_names()

    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("package", DESCRIBED)
def test_every_public_class_stands_in_the_glossary(package: str) -> None:
    known = set(glossary_names())
    paths = sorted((ROOT / package).glob("*.py"))

    assert [name for path in paths for name in classes_of(path) if name not in known] == []


def test_a_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for name in classes_of(path):
            places[name].append(name_of(path))

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_folder_is_a_long_corridor() -> None:
    folders = {path.parent for path in SOURCES}
    sizes = {name_of(folder): len([it for it in folder.glob("*.py") if it.name != "__init__.py"]) for folder in folders}

    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


def words_of(text: str) -> set[str]:
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", text)}
    # The table of pending deletions has the name of the first release.
    return words - {"litter"} if re.search(r"(FROM|INTO) litter\b|`litter`", text) else words


def retired_words_in(paths: Iterable[Path]) -> dict[str, set[str]]:
    return {name_of(path): found for path in paths if (found := words_of(path.read_text(encoding="utf-8")) & RETIRED)}


def test_no_module_uses_a_retired_word() -> None:
    assert retired_words_in(SOURCES) == {}


DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if path.name not in ("CHANGELOG.md",) and not path.name.endswith(".zh.md")
)


def test_no_document_uses_a_retired_word() -> None:
    assert retired_words_in(DOCUMENTS) == {}


def test_the_map_names_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Three journeys")[0]
    folders = {path.parent for path in SOURCES}

    assert [name_of(folder) for folder in sorted(folders) if f"{folder.name}/" not in text] == []
