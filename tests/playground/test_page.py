"""The files of the chat page: headers, labels, and what its scripts must not do."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.server.static_page import STATIC
from tests.playground.simulator import RunningPlayground, running_playground

SCRIPTS = sorted(STATIC.glob("*.js"))
LABELS = {language: json.loads((STATIC / f"labels.{language}.json").read_text("utf-8")) for language in ("zh", "en")}
# Labels whose key contains a word of the Bot API or of the control API.
COMPOSED = re.compile(r"(chat|attach|phone|language)\.\w+|app\.other(_lang)?")


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/static/base.css"])
async def test_every_file_of_the_page_comes_with_a_strict_policy(simulator: RunningPlayground, path: str) -> None:
    async with simulator.http.get(simulator.url + path) as answer:
        policy = answer.headers["content-security-policy"]

    assert answer.status == 200
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_file_of_a_bot_or_a_person_is_never_served_as_a_page(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    sent = await simulator.upload("sendDocument", chat_id=user, document=b"<script>alert(1)</script>")
    file_id = sent["result"]["document"]["file_id"]

    async with simulator.http.get(f"{simulator.url}/sim/files/{file_id}") as answer:
        kind, disposition = answer.headers["content-type"], answer.headers["content-disposition"]

    assert (kind, disposition) == ("application/octet-stream", "attachment")


def test_both_languages_have_the_same_labels() -> None:
    assert LABELS["zh"].keys() == LABELS["en"].keys()
    assert all(words.strip() for labels in LABELS.values() for words in labels.values())
    for key, words in LABELS["zh"].items():
        assert set(re.findall(r"\{(\w+)\}", words)) == set(re.findall(r"\{(\w+)\}", LABELS["en"][key])), key


def test_every_label_is_used_and_every_used_label_exists() -> None:
    sources = "".join(
        path.read_text("utf-8")
        for path in [*SCRIPTS, STATIC / "index.html", STATIC.parents[1] / "chatscript" / "report" / "html.py"]
    )
    named = set(re.findall(r"[\"'>](\w+\.\w+)[\"'<]", sources)) | set(re.findall(r"\b(close|cancel|ok)\b", sources))
    families = {key.partition(".")[0] for key in LABELS["zh"] if "." in key}

    missing = {key for key in named if key.partition(".")[0] in families and "." in key} - LABELS["zh"].keys()
    unused = {key for key in LABELS["zh"] if key not in named and not COMPOSED.fullmatch(key)}

    assert (missing, unused) == (set(), set())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_insert_text_as_text(path: Path) -> None:
    source = path.read_text("utf-8")

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source)
    assert not re.search(r"https?://(?!www\.w3\.org)[\w-]+\.", source)  # nothing from other origins
