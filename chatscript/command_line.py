"""The command `chatscript`: plays, records and accepts scripts of any bot, and shows the bot in a browser."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from chatscript.local_run import RecordingTarget, run_locally
from chatscript.runner.bot_process import CommandLauncher
from chatscript.runner.event_waiter import Timing
from chatscript.suite import NOTHING_RUN, SuiteOptions, run_suite

PAGE_PORT = 8080
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
      - run: chatscript play tests --bot "python bot.py" --junit report.xml
"""
_FILES = {Path("tests/first.chat"): _SCRIPT, Path(".github/workflows/chats.yml"): _WORKFLOW}


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Run one command and return the exit code."""
    given = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Callable[[str], object]], int] = given.run
    return run(given, say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("chatscript", description="Plays scripts of chats against any Telegram bot.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
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
    commands.add_parser("init", help="write a first script and a workflow").set_defaults(run=_init)
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
    play.add_argument("--start-within", type=float, default=20, help="seconds that the bot may take to start")


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
