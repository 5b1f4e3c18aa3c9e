"""An agent leads a conversation by tools, and a script of it is written."""

import importlib.util
import os
import shlex
import sys
from pathlib import Path

import pytest

from chatscript.agent import AgentSession
from chatscript.command_line import main
from chatscript.language.bot_texts import BotTexts
from chatscript.python_api import ChatFailed, open_conversation
from chatscript.runner.case_runner import RunConfig
from chatscript.runner.event_waiter import Timing
from tests.chatscript.bots.playing import FORM_BOT, launcher_for, passes

QUICK = Timing(timeout=1.5, silence=0.5, settle=0.2)
LIFE_BOT = FORM_BOT.with_name("life_bot.py")


@pytest.mark.slow("programs")
async def test_an_agent_writes_a_script_that_passes(tmp_path: Path) -> None:
    file = tmp_path / "agent" / "shop.chat"
    config = RunConfig(launcher_for(LIFE_BOT), BotTexts(), QUICK)
    async with open_conversation(config, "agent") as conversation:
        session = AgentSession(conversation, file)
        assert await session.transcript() == "nothing yet"
        assert await session.say("[1] {a}\n\\") == "< \\[1] \\{a}\n    | \\\\"
        assert "[北京]" in await session.say("/poll")
        assert await session.tap("北京") == "< 选了 (0,)"
        assert await session.play("@user B\n@group 家人") == "< demo_bot member, 1"
        assert (await session.play("@private")) == "(the bot did nothing)"
        with pytest.raises(ChatFailed, match="there is no button"):
            await session.tap("上海")
        await session.wait("10m")
        with pytest.raises(ChatFailed, match="no picture of this chat shows a QR code"):
            await session.scan("wechat")
        with pytest.raises(ChatFailed, match="page"):
            await session.press("好")
        written = await session.transcript()

    await passes(tmp_path, written, bot=LIFE_BOT)


async def test_what_another_person_gets_is_written_in_their_chat(tmp_path: Path) -> None:
    config = RunConfig(launcher_for(LIFE_BOT), BotTexts(), QUICK)
    async with open_conversation(config, "agent") as conversation:
        await conversation.play("@user B\n@group 家人\n@bot-role administrator\n@private\n> hi")
        lines = await conversation.read()

    assert [line.partition(",")[0] for line in lines] == [
        "< hi",
        "@group 家人",
        "< demo_bot member",
        "< demo_bot administrator",
        "@user B",
    ]


async def test_a_bot_that_ends_is_an_error_of_the_tool(tmp_path: Path) -> None:
    config = RunConfig(launcher_for(LIFE_BOT), BotTexts(), QUICK)
    async with open_conversation(config, "agent") as conversation:
        session = AgentSession(conversation, tmp_path / "a.chat")
        assert await session.say("hi") == "< hi"
        assert await session.crash() == "(the bot did nothing)"
        await conversation._context.environment.stop()

        with pytest.raises(ChatFailed, match="the bot's process ended with exit code -9"):
            await session.say("hi")


def test_without_the_package_the_command_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    assert (main(["mcp", "--bot", "x"], said.append), said) == (
        2,
        ["an agent needs the package mcp: pip install 'chatscript[mcp]'"],
    )


@pytest.mark.slow("foreign bots")
async def test_the_tools_are_served_over_standard_input_and_output(tmp_path: Path) -> None:
    if not importlib.util.find_spec("mcp"):
        assert not os.environ.get("CI"), "the lock has the package mcp"
        pytest.skip("no package mcp to be a client with")
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.types import CallToolResult, TextContent

    def text(result: CallToolResult) -> str:
        return "".join(block.text for block in result.content if isinstance(block, TextContent))

    file = tmp_path / "talk.chat"
    bot = shlex.join([sys.executable, str(FORM_BOT)])
    arguments = ["-m", "chatscript.command_line", "mcp", "--bot", bot, "--out", str(file)]
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    async with stdio_client(server) as streams, ClientSession(*streams) as client:
        await client.initialize()
        tools = {tool.name for tool in (await client.list_tools()).tools}
        greeted = await client.call_tool("say", {"text": "/start"})
        refused = await client.call_tool("tap", {"label": "no such key"})
        drawn = await client.call_tool("screenshot", {})
        written = await client.call_tool("transcript", {})

    assert tools >= {"say", "tap", "scan", "press", "wait", "crash", "screenshot", "transcript"}
    assert text(greeted).startswith("< 你好")
    assert refused.isError
    assert "there is no button [no such key]" in text(refused)
    assert drawn.content[0].type == "image" or "Chromium" in text(drawn)
    assert text(written) == file.read_text(encoding="utf-8")
    await passes(tmp_path, file.read_text(encoding="utf-8"))
