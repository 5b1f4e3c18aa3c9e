"""`play --show`: conversations as one self-contained file, and as a picture."""

import re
from pathlib import Path

import pytest

from chatscript.report.entity_html import render_entities
from chatscript.report.export import export_problem
from chatscript.suite import SuiteOptions, run_suite
from tests.browser import running_browser
from tests.chatscript.bots.playing import FORM_BOT, launcher_for

TALK = """title: <The> form
cases: name=王小明 | name=李雷

> /start
< 你好...
> {name}
x > {name}
< {name}，请确认   [*]
> [确认]
! 已确认
~ 已确认：{name}
< (photo) 请扫码   [*]
@wait 1m
> (tap) x
! 按钮已失效
"""
FROM_ELSEWHERE = re.compile(r"""(?:src=|url\(|@import|<link|<script)(?!["']?data:)[^)>]*""")


async def shown(folder: Path, script: str, name: str = "out.html") -> tuple[int, list[str], Path]:
    (folder / "talk.chat").write_text(script, encoding="utf-8")
    said: list[str] = []
    out = folder / "new" / name
    status = await run_suite(
        [folder], SuiteOptions(show=out), launcher=launcher_for(FORM_BOT), texts=folder / "texts", out=said.append
    )
    return status, said, out


async def test_a_file_shows_the_chat_as_it_is_at_the_end(tmp_path: Path) -> None:
    status, _, out = await shown(tmp_path, TALK)

    first, second = out.read_text(encoding="utf-8").split("<section")[1:]
    assert status == 0
    assert "&lt;The&gt; form [name=王小明]" in first
    assert "[name=李雷]" in second
    assert '<div class="words">已确认：王小明</div><span class="meta"><span class="edited">已编辑' in first
    assert '<li class="ghost user">已删除<s>王小明</s></li>' in first
    assert '<li class="shown-toast"><span>已确认</span></li>' in first
    assert '<li class="pressed-key"><span>✅ 确认</span></li>' in first
    assert '<img src="data:image/jpeg;base64,' in first
    assert "<strong>你好</strong>" in first
    assert first.index("请扫码") < first.index("@wait 1m") < first.index("按钮已失效")
    assert "<time" not in first


async def test_a_file_loads_nothing_else(tmp_path: Path) -> None:
    _, _, out = await shown(tmp_path, TALK)

    assert FROM_ELSEWHERE.findall(out.read_text(encoding="utf-8")) == []


async def test_a_failing_script_shows_where_it_failed(tmp_path: Path) -> None:
    status, _, out = await shown(tmp_path, "> /start\n< 再见\n")

    text = out.read_text(encoding="utf-8")
    assert status == 1
    assert "talk.chat:2: the bot did something different:\nexpected: &lt; 再见\ngot: &lt; 你好" in text


async def test_several_chats_have_titles(tmp_path: Path) -> None:
    _, _, out = await shown(tmp_path, "@user B\n> /start\n< ...\n@group\n< 请私聊我\n@left\n@user A\n> /start\n< ...\n")

    turns = re.findall(r'<li class="note"><span>(.*?)</span>', out.read_text(encoding="utf-8"))
    assert turns == ["与 B 的聊天", "群聊", "机器人退出了这个群", "与 A 的聊天"]


async def test_another_kind_of_file_is_refused_before_anything_runs(tmp_path: Path) -> None:
    status, said, _ = await shown(tmp_path, TALK, "out.gif")

    assert (status, said) == (2, ["--show: expected a name that ends in .html or .png, not out.gif"])


def test_a_picture_without_chromium_is_refused_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert (export_problem(Path("a.png")) or "").startswith("a .png needs Chromium")
    assert export_problem(Path("a.html")) is None


@pytest.mark.slow("programs")
@pytest.mark.browser
async def test_a_picture_is_as_long_as_the_conversation(tmp_path: Path) -> None:
    status, _, out = await shown(tmp_path, TALK, "out.png")

    head = out.read_bytes()[:24]
    width, height = (int.from_bytes(head[at : at + 4]) for at in (16, 20))
    assert (status, head[:4], width) == (0, b"\x89PNG", 620)
    assert height > width


@pytest.mark.browser
@pytest.mark.slow("browser")
async def test_a_browser_opens_the_file_without_an_error(tmp_path: Path) -> None:
    _, _, out = await shown(tmp_path, TALK)
    requested: list[str] = []
    complaints: list[str] = []

    async with running_browser() as browser:
        page = await browser.new_page(color_scheme="dark")
        page.on("request", lambda request: requested.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(out.as_uri())
        width = await page.evaluate("document.querySelector('.photo img').naturalWidth")

    assert [url for url in requested if not url.startswith("data:")] == [out.as_uri()]
    assert (complaints, width > 0) == ([], True)


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("a<b>&", [], "a&lt;b&gt;&amp;"),
        ("😀粗x", [("bold", 2, 1)], "😀<strong>粗</strong>x"),
        ("ab c", [("bold", 0, 4), ("italic", 1, 1)], "<strong>a<em>b</em> c</strong>"),
        ("q\nx", [("blockquote", 0, 1)], "<blockquote>q</blockquote>x"),
        ("a\n", [("pre", 0, 1)], "<pre><code>a</code></pre>"),
        ("/go @x", [("bot_command", 0, 3)], '<span class="tinted">/go</span> @x'),
        ("abc", [("bold", 0, 2), ("italic", 1, 2)], "<strong>a<em>b</em></strong><em>c</em>"),
    ],
)
def test_entities_become_tags(text: str, entities: list[tuple[str, int, int]], html: str) -> None:
    listed = [{"type": kind, "offset": offset, "length": length} for kind, offset, length in entities]

    assert render_entities(text, listed) == html


def test_only_http_links_are_links() -> None:
    bad = [{"type": "text_link", "offset": 0, "length": 1, "url": "javascript:alert(1)"}]
    good = [{"type": "text_link", "offset": 0, "length": 1, "url": "https://a.example/?a=1&b=2"}]

    assert render_entities("x", bad) == '<span class="tinted">x</span>'
    assert 'href="https://a.example/?a=1&amp;b=2"' in render_entities("x", good)
