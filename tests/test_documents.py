"""The documents: both languages say the same, links lead somewhere, and facts are those of the program."""

import ast
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import FORMER_NAMES, SECRET_FILES, Settings
from tests.bot.content.test_texts import FORBIDDEN, SLIPS
from tests.each_case import each_case
from tests.sqlite_file import sqlite_url

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ENGLISH = [path for path in DOCUMENTS if path.with_suffix(".zh.md").exists()]
CHINESE = [path for path in DOCUMENTS if path.name.endswith(".zh.md")]
GUIDE = ROOT / "docs" / "operators" / "guide.md"
PRIVACY = ROOT / "docs" / "people" / "privacy.md"
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
TRANSLATED_BLOCKS = ("mermaid", "toml")
"""Labels and examples, of which both editions have as many lines; the lines of commands and data are the same."""
PROXIES_OF_OTHERS = {"https_proxy", "http_proxy", "all_proxy", "no_proxy"}
"""Variables that many programs read; the guide names them with `TELEGRAM_PROXY`."""
TABLES_WITHOUT_PERSONS = {"schema_versions", "key_checks", "programs", "bots", "sqlite_sequence"}


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Both editions


@dataclass(frozen=True, slots=True)
class Section:
    """What a section has in every language, from its heading to the next one."""

    level: int
    rows: int
    items: int
    blocks: list[tuple[str, list[str]]]
    code: set[str]
    links: set[str]
    numbers: set[str]


def block(kind: str, text: str) -> tuple[str, list[str]]:
    lines = text.splitlines()
    return kind, ["" if kind in TRANSLATED_BLOCKS else re.sub(r"\s+# .*", "", line).strip() for line in lines]


def sections(text: str) -> Iterator[Section]:
    fences = FENCE.findall(text)
    # In a block, a line that begins with "#" is no heading.
    for part in re.split(r"^(?=#+ )", FENCE.sub("\0", text), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        prose = CODE.sub("", body)
        own = [fences.pop(0) for _ in range(body.count("\0"))]
        yield Section(
            level=len(heading) - len(heading.lstrip("#")),
            rows=len(re.findall(r"^\|", body, re.MULTILINE)),
            items=len(re.findall(r"^ *(?:-|\d+\.) ", body, re.MULTILINE)),
            blocks=[block(kind, inner) for kind, inner in own],
            code={code for code in CODE.findall(part) if not HAN.search(code)},
            links={link.partition("#")[0].replace(".zh.md", ".md") for link in LINK.findall(prose)} - {""},
            numbers=set(re.findall(r"\d[\d,.:-]*\d", LINK.sub("]", prose))),
        )


@pytest.mark.parametrize("path", ENGLISH, ids=name_of)
def test_both_editions_have_the_same_sections_commands_names_numbers_and_links(path: Path) -> None:
    assert list(sections(text_of(path))) == list(sections(text_of(path.with_suffix(".zh.md"))))


@pytest.mark.parametrize("path", ENGLISH, ids=name_of)
def test_each_edition_links_to_the_other_at_its_head_and_below_it_to_its_own_language(path: Path) -> None:
    chinese = path.with_suffix(".zh.md")
    heads = [text_of(each).partition("\n")[0] for each in (path, chinese)]
    _, *others = LINK.findall(text_of(chinese))

    assert [LINK.findall(head) for head in heads] == [[chinese.name], [path.name]]
    assert [link for link in others if (chinese.parent / link.partition("#")[0]).resolve() in ENGLISH] == []


SAMPLE = """# Title
## Part
- `NAME` 25
```sh
run --all  # comment
```
"""


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("## Part", "### Part"),
        ("- `NAME`", "- `OTHER`"),
        ("- `NAME`", "`NAME`"),
        ("25", "30"),
        ("25", "25 [more](x.md)"),
        ("25", "25\n| cell |"),
        ("--all", "--one"),
        ("```sh", "```"),
    ],
)
def test_a_change_in_one_edition_alone_is_seen(written: str, changed: str) -> None:
    assert list(sections(SAMPLE)) == list(sections(SAMPLE.replace("comment", "注释")))
    assert list(sections(SAMPLE)) != list(sections(SAMPLE.replace(written, changed)))


@pytest.mark.parametrize("path", CHINESE, ids=name_of)
def test_chinese_documents_are_typeset_correctly_and_use_one_word_for_one_thing(path: Path) -> None:
    prose = LINK.sub("", CODE.sub("x", FENCE.sub("", text_of(path))))
    # After bold words, Markdown wants a blank that the page does not need.
    plain = re.sub(r"(?<=[。！？])\*\* |\*\*|!?\[|\]", "", prose)
    slips = [found for slip in SLIPS.values() for found in slip.findall(plain)]

    assert slips == []
    assert [variant for variant in FORBIDDEN["zh"] if re.search(variant, plain)] == []


# Links


@cache
def anchors_of(path: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", LINK.sub("]", heading).lower()).replace(" ", "-") for heading in headings}


@each_case("path", DOCUMENTS, name_of)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(path: Path) -> None:
    inner = [link for link in LINK.findall(FENCE.sub("", text_of(path))) if not re.match(r"[a-z]+:", link)]
    parts = [link.partition("#") for link in inner]
    targets = [((path.parent / file).resolve() if file else path, anchor) for file, _, anchor in parts]

    assert [target for target, _ in targets if not target.exists()] == []
    assert [anchor for target, anchor in targets if anchor and anchor not in anchors_of(target)] == []


# Facts


def settings_in_the_guide() -> dict[str, str]:
    """Every setting of the table, in small letters, with the default that the guide gives it."""
    table = re.findall(r"^\| (`[A-Z_`, ]+`) \| ([^|]+) \|", text_of(GUIDE).partition("## Settings")[2], re.MULTILINE)
    rows = [(CODE.findall(names), defaults.split(", ")) for names, defaults in table]
    return {
        name.lower(): default
        for names, defaults in rows
        for name, default in zip(names, defaults * (len(names) if len(defaults) == 1 else 1), strict=True)
    }


def shown(default: object) -> str:
    match default:
        case bool():
            return f"{default:d}"
        case timedelta():
            return f"{default.total_seconds() / 60:.0f}m"
        case SecretStr():
            return default.get_secret_value()
        case _:
            return str(default or "")


def test_the_guide_names_every_setting_with_its_default() -> None:
    fields = {name: shown(field.default) for name, field in Settings.model_fields.items()}
    named = settings_in_the_guide()

    assert set(named) == set(fields) - PROXIES_OF_OTHERS
    assert {name: named[name] for name in named if fields[name] and named[name] != f"`{fields[name]}`"} == {}


def test_the_guide_names_every_secret_that_a_file_may_hold_and_every_former_name() -> None:
    [secrets] = re.findall(r"^\*\*A secret may stand in a file:\*\*.*?\n\n", text_of(GUIDE), re.MULTILINE | re.DOTALL)
    [former] = re.findall(r"^The old names .*", text_of(GUIDE), re.MULTILINE)

    assert {name.upper() for name in SECRET_FILES} == {name for name in CODE.findall(secrets) if "=" not in name}
    assert {name.upper() for name in FORMER_NAMES.values()} == set(CODE.findall(former))


def test_the_guide_explains_every_reason_that_readyz_gives() -> None:
    rows = re.findall(r"^\| `(?:store|telegram)`: (.*?) \|", text_of(GUIDE), re.MULTILINE)
    told = " ".join(rows)
    module = ast.parse(text_of(ROOT / "bot" / "container" / "readiness.py"))
    docs = {node.value for node in ast.walk(module) if isinstance(node, ast.Expr)}
    words = [node for node in ast.walk(module) if isinstance(node, ast.Constant) and node not in docs]
    reasons = [str(node.value).strip() for node in words if re.search("[a-z] [a-z]", str(node.value))]

    assert len(reasons) > 10
    assert [reason for reason in reasons if reason not in told] == []


def test_the_privacy_page_names_every_table_that_holds_something_of_a_person(tmp_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_url(tmp_path).removeprefix("sqlite:///"))) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert tables - TABLES_WITHOUT_PERSONS <= set(CODE.findall(text_of(PRIVACY)))
