"""The command `chatscript`: plays, records and accepts scripts of any bot, shows the bot in a browser, runs in a CI."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from chatscript.agent import serve
from chatscript.language.bot_texts import BotTexts
from chatscript.language.reference import extension, python_reference, reference
from chatscript.local_run import RecordingTarget, run_locally
from chatscript.python_api import Conversation, PhoneApi
from chatscript.runner.bot_process import CommandLauncher
from chatscript.runner.case_runner import RunConfig
from chatscript.runner.event_waiter import Timing
from chatscript.suite import NOTHING_RUN, SOME_FAILED, SuiteOptions, run_suite

PAGE_PORT = 8080
VERSION = "0.2.0"
_SCRIPT = """title: The first talk
> /start
< ...
"""
_WORKFLOW = """name: chats
on: [push, pull_request]
jobs:
  chats:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      # Install your bot here, and put the wheel of chatscript where pip finds it.
      - run: pip install chatscript
      - run: chatscript ci --bot "python bot.py"
      - uses: actions/upload-artifact@v4
        if: always()
        with: {name: chats, path: chat-report}
"""
_FILES = {Path("tests/first.chat"): _SCRIPT, Path(".github/workflows/chats.yml"): _WORKFLOW}


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Run one command and return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        say(parser.format_help())
        return NOTHING_RUN
    run: Callable[[argparse.Namespace, Callable[[str], object]], int] = given.run
    return run(given, say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("chatscript", description="Plays scripts of chats against any Telegram bot.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, words in (("play", "play scripts"), ("accept", "write what the bot does into scripts that fail")):
        play = commands.add_parser(name, help=words)
        play.set_defaults(run=_play, accept=name == "accept")
        _add_play_options(play)
    record = commands.add_parser("record", help="write what happens in the chat page as a script")
    record.add_argument("--out", type=Path, metavar="FILE", help="the file; else it is printed at the end")
    serve = commands.add_parser("serve", help="show the bot in a browser")
    for command, run in ((record, _record), (serve, _serve)):
        command.set_defaults(run=run)
        command.add_argument("--bot", required=True, metavar="COMMAND", help="starts the bot, such as 'node bot.js'")
        command.add_argument("--texts", type=Path, metavar="FOLDER", help="the bot's texts, for {t:…}")
        command.add_argument("--port", type=int, default=PAGE_PORT, help="the bot's own; the page is at the next one")
    ci = commands.add_parser("ci", help="play all scripts of a folder and keep the reports: one command for any CI")
    ci.set_defaults(run=_ci)
    ci.add_argument("folder", nargs="?", type=Path, default=Path(), help="by default this one")
    ci.add_argument("--bot", metavar="COMMAND", help="starts the bot; else it is guessed from the files here")
    _add_start_within(ci)
    ci.add_argument("--report", type=Path, default=Path("chat-report"), metavar="FOLDER", help="for the reports")
    agent = commands.add_parser("mcp", help="serve the steps as tools to an agent, over standard input and output")
    agent.set_defaults(run=_mcp)
    agent.add_argument("--bot", required=True, metavar="COMMAND", help="starts the bot, such as 'node bot.js'")
    agent.add_argument("--out", type=Path, default=Path("agent.chat"), metavar="FILE", help="the script it writes")
    commands.add_parser("init", help="write a first script and a workflow").set_defaults(run=_init)
    told = commands.add_parser("reference", help="print the reference of the script language")
    told.add_argument("--python", action="store_true", help="that of scripts in Python instead")
    told.set_defaults(run=_reference)
    code = commands.add_parser("vscode", help="write an extension for Visual Studio Code: colours and folding")
    code.add_argument("folder", type=Path, help="such as ~/.vscode/extensions/chatscript")
    code.set_defaults(run=_vscode)
    return parser


def _add_play_options(play: argparse.ArgumentParser) -> None:
    play.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a script, or a folder of them")
    play.add_argument("--bot", required=True, metavar="COMMAND", help="starts the bot, such as 'node bot.js'")
    play.add_argument("-k", dest="keyword", metavar="WORDS", help="only cases with these words in the title")
    play.add_argument("--lang", help="a language, or all, for scripts made of {t:…} texts")
    play.add_argument("--texts", type=Path, metavar="FOLDER", help="the bot's texts, for {t:…}")
    play.add_argument("--junit", type=Path, metavar="FILE", help="write the results there as JUnit XML")
    play.add_argument("--show", type=Path, metavar="FILE", help="draw the chats as .html or .png")
    play.add_argument("--calls", type=Path, metavar="FILE", help="list the bot's calls and their answers")
    play.add_argument("--jobs", type=int, default=8, help="how many cases at the same time")
    play.add_argument("--patience", type=float, default=0, help="seconds that the bot may think before it answers")
    _add_start_within(play)


def _add_start_within(command: argparse.ArgumentParser) -> None:
    command.add_argument("--start-within", type=float, default=60, help="seconds that the bot may take to start")


def _play(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    options = SuiteOptions(
        jobs=given.jobs,
        keyword=given.keyword,
        languages=(given.lang,) if given.lang else (),
        junit=given.junit,
        accept=given.accept,
        show=given.show,
        calls=given.calls,
        timing=Timing(start_timeout=given.start_within).with_patience(given.patience),
    )
    launcher = CommandLauncher(shlex.split(given.bot), folder=Path.cwd())
    return asyncio.run(run_suite(given.files, options, launcher=launcher, texts=given.texts, out=say))


_GUESSES = {"bot.py": sys.executable, "main.py": sys.executable, "bot.js": "node", "index.js": "node"}


def _ci(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    guessed = next(([program, file] for file, program in _GUESSES.items() if Path(file).exists()), [])
    command = shlex.split(given.bot) if given.bot else guessed
    if not command:
        say(f"--bot: how does the bot start? None of {', '.join(_GUESSES)} is here")
        return NOTHING_RUN
    given.report.mkdir(parents=True, exist_ok=True)
    first = given.report / "first.chat"
    scripts = [path for path in sorted(given.folder.rglob("*.chat")) if path != first]
    if not scripts:
        first.write_text(_SCRIPT.removesuffix("< ...\n"), encoding="utf-8")
        say(f"No script is here: what the bot says to /start is written to {first}")
    options = SuiteOptions(
        accept=not scripts,
        junit=given.report / "report.xml",
        show=given.report / "chats.html",
        calls=given.report / "calls.json",
        timing=Timing(start_timeout=given.start_within),
        annotate=bool(os.environ.get("GITHUB_ACTIONS")),
    )
    launcher = CommandLauncher(command, folder=Path.cwd())
    status = asyncio.run(run_suite(scripts or [first], options, launcher=launcher, texts=None, out=say))
    if not status and not scripts and "\n<" not in first.read_text(encoding="utf-8"):
        say("The bot says nothing to /start.")
        return SOME_FAILED
    return status


def _mcp(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    if importlib.util.find_spec("mcp") is None:
        say("an agent needs the package mcp: pip install 'chatscript[mcp]'")
        return NOTHING_RUN
    asyncio.run(serve(RunConfig(CommandLauncher(shlex.split(given.bot), folder=Path.cwd()), BotTexts()), given.out))
    return 0


def _reference(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    say(python_reference(Conversation, PhoneApi) if given.python else reference())
    return 0


def _vscode(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, content in extension(VERSION).items():
        (given.folder / name).write_text(content, encoding="utf-8")
    say(f"wrote {given.folder}; start Visual Studio Code anew")
    return 0


def _record(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    if given.out is not None and given.out.exists():
        say(f"--out: {given.out} is there already")
        return NOTHING_RUN
    target = RecordingTarget(given.out)
    return run_locally(shlex.split(given.bot), port=given.port, say=say, texts=given.texts, recording=target)


def _serve(given: argparse.Namespace, say: Callable[[str], object]) -> int:
    return run_locally(shlex.split(given.bot), port=given.port, say=say, texts=given.texts)


def _init(_: argparse.Namespace, say: Callable[[str], object]) -> int:
    for path, content in _FILES.items():
        if path.exists():
            say(f"{path} is there already")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        say(f"wrote {path}")
    say('Now: chatscript play tests --bot "python bot.py"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
