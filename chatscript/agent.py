"""An agent as a tester: the lines of a script as the tools of an MCP server, which writes a `.chat` file as it goes.

What the bot does after each tool call is the tool's answer, and stands in the file as lines that must come again.
https://modelcontextprotocol.io
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from chatscript.match.transcript import escape_label, escape_typed
from chatscript.python_api import ChatFailed, Conversation, open_conversation
from chatscript.report.export import BrowserMissing, export_problem
from chatscript.runner.case_runner import RunConfig


class AgentSession:
    """One conversation that an agent leads. The file holds a complete script after each call."""

    def __init__(self, conversation: Conversation, file: Path) -> None:
        self._conversation = conversation
        self._file = file
        self._lines = [f"title: {file.stem}"]

    async def say(self, text: str) -> str:
        """Write a text to the bot, such as /start. The answer is what the bot does then, as lines of a script."""
        first, *rest = map(escape_typed, text.split("\n"))
        return await self._do("\n".join([f"> {first}", *(f"    | {line}" for line in rest)]))

    async def tap(self, label: str) -> str:
        """Press the button with this label: of the newest message with buttons, or of the reply keyboard."""
        return await self._do(f"> [{escape_label(label)}]")

    async def scan(self, app: str = "browser", address: str = "") -> str:
        """Open the newest QR code, or an address, on the phone: with wechat, qq, browser or robot."""
        return await self._do(f"@scan {app} {address}".rstrip())

    async def press(self, label: str) -> str:
        """Press a button or follow a link of the page that the phone shows."""
        return await self._do(f"@press {label}")

    async def wait(self, span: str) -> str:
        """Move the clocks of the bot and of Telegram forward, such as 90s, 10m or 1h30m."""
        return await self._do(f"@wait {span}")

    async def crash(self) -> str:
        """Kill the bot's process and start it again on the same data."""
        return await self._do("@crash")

    async def play(self, lines: str) -> str:
        """Run any other lines of a script: > (photo), > (reply) words, @user B, @group, @fail METHOD 429, @lang en."""
        return await self._do(lines)

    async def transcript(self) -> str:
        """Return the script so far."""
        return self._file.read_text(encoding="utf-8") if self._file.exists() else "nothing yet"

    async def picture(self) -> bytes:
        """Return the chat as it looks now, as a PNG. Raises `ChatFailed` where nothing can draw it."""
        with tempfile.TemporaryDirectory(prefix="chat-") as folder:
            png = Path(folder) / "chat.png"
            if problem := export_problem(png):
                raise ChatFailed(problem)
            try:
                await self._conversation.draw(png)
            except BrowserMissing as error:
                raise ChatFailed(str(error)) from None
            return png.read_bytes()

    async def _do(self, lines: str) -> str:
        await self._conversation.play(lines)
        came = await self._conversation.read()
        self._lines += [*lines.splitlines(), *came]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("\n".join([*self._lines, ""]), encoding="utf-8")
        return "\n".join(came) or "(the bot did nothing)"


async def serve(config: RunConfig, file: Path) -> None:
    """Serve the tools over standard input and output until the client closes them. Needs the package `mcp`."""
    from mcp.server.fastmcp import FastMCP, Image

    async with open_conversation(config, file.name) as conversation:
        session = AgentSession(conversation, file)

        async def screenshot() -> Any:
            """Draw the chat as it looks now. Needs Chromium and the package playwright."""
            return Image(data=await session.picture(), format="png")

        server = FastMCP("chatscript", instructions=f"Tests a Telegram bot on a simulated Telegram; writes {file}.")
        tools = (session.say, session.tap, session.scan, session.press, session.wait, session.crash, session.play)
        for tool in (*tools, session.transcript, screenshot):
            server.add_tool(tool)
        await server.run_stdio_async()
