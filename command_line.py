"""The commands of the command line. The bot itself starts without this module: see `run_bot.py`."""

import gc
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import __version__
from bot.cli.commands import add_operator_commands
from run_bot import PROGRAM, TEXTS, load_settings, print_error, run_playground, speed_up_imports, start_bot

if TYPE_CHECKING:
    from chatscript.runner.bot_process import BotLauncher

app = add_operator_commands(
    typer.Typer(
        help="A Telegram bot that guides a person through personal real-name verification of a cloud account."
        " Without a command it starts: with BOT_TOKEN against Telegram; where nothing is set, the playground, a"
        " simulated Telegram on this machine. docs/operators/guide.md lists every setting.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
)


def print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's signature
    """Print the version and end."""
    if wanted:
        typer.echo(f"realname-bot {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[  # noqa: FBT002 - typer's signature
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit")
    ] = False,
) -> None:
    """Start the bot: Telegram by long polling, or by webhook; without any setting, the playground."""
    if context.invoked_subcommand is not None:
        context.obj = f"realname-bot {__version__}"
        return
    raise typer.Exit(start_bot())


@app.command()
def playground() -> None:
    """Start the playground: the bot against a simulated Telegram on this machine, whatever else is set."""
    raise typer.Exit(run_playground(load_settings()))


@app.command()
def diagram() -> None:
    """Draw the dialogue's table as a Mermaid diagram."""
    from bot.flow.diagram import mermaid

    typer.echo(mermaid(), nl=False)


@app.command()
def play(  # noqa: PLR0913, PLR0917 - each is an option of the command
    files: Annotated[list[Path], typer.Argument(help="Scripts, or folders of them", metavar="FILE…")],
    keyword: Annotated[str | None, typer.Option("-k", help="Only cases whose title contains this")] = None,
    lang: Annotated[str, typer.Option(help="zh, en or all, for scripts made of {t:…} texts")] = "",
    junit: Annotated[Path | None, typer.Option(help="Write the results there as JUnit XML", metavar="FILE")] = None,
    show: Annotated[Path | None, typer.Option(help="Draw the chats as .html or .png", metavar="FILE")] = None,
    calls: Annotated[Path | None, typer.Option(help="List the bot's calls and their answers", metavar="FILE")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write what the bot does into scripts that fail")] = False,  # noqa: FBT002
    coverage: Annotated[bool, typer.Option("--coverage", help="List what no script reached")] = False,  # noqa: FBT002
    fail_under: Annotated[float, typer.Option(min=0, max=100, help="Fail below that coverage, in percent")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many cases at the same time; 24, or 8 of another bot")
    ] = None,
    bot: Annotated[str | None, typer.Option(help="Another bot, see docs/testers/any-bot.md", metavar="COMMAND")] = None,
    texts: Annotated[Path | None, typer.Option(help="Another bot's texts, for {t:…}", metavar="FOLDER")] = None,
    patience: Annotated[float, typer.Option(min=0, help="Seconds that the bot may think before it answers")] = 0,
    start_within: Annotated[float, typer.Option(min=0.1, help="Seconds that another bot may take to start")] = 60,
) -> None:
    """Play .chat scripts against the bot, or against any other bot; exit 0 only when all pass."""
    import asyncio

    from chatscript import suite
    from chatscript.runner.event_waiter import Timing

    languages = ("zh", "en") if lang == "all" else tuple(filter(None, (lang,)))
    texts = texts or (TEXTS if bot is None else None)
    timing = (Timing() if bot is None else Timing(start_timeout=start_within)).with_patience(patience)
    options = suite.SuiteOptions(
        jobs or usual_jobs(bot),
        keyword,
        languages,
        junit,
        accept,
        coverage or fail_under > 0,
        fail_under,
        show,
        calls,
        timing,
    )
    with bot_launcher(bot) as launch:
        status = asyncio.run(suite.run_suite(files, options, launcher=launch, texts=texts, out=typer.echo))
    raise typer.Exit(status)


@app.command()
def record(
    out: Annotated[Path | None, typer.Option(help="A new file; else it is printed", metavar="FILE|-")] = None,
) -> None:
    """Write what happens in the chat as a .chat script: the playground with a bot without data."""
    if out == Path("-"):
        out = None
    if out is not None and out.exists():
        print_error(f"--out: {out} is there already")
        raise typer.Exit(2)
    settings = load_settings()
    from chatscript.local_run import RecordingTarget

    raise typer.Exit(run_playground(settings, RecordingTarget(out)))


def usual_jobs(other_bot: str | None) -> int:
    """How many scripts of this bot, or of another one, are played at the same time."""
    # A script mostly waits: for the bot, and at its end whether something more comes. Forks of one program share its
    # memory, and 24 of them keep two cores busy; another bot is started anew each time.
    return 24 if other_bot is None and hasattr(os, "fork") else 8


@contextmanager
def bot_launcher(other: str | None = None) -> Iterator["BotLauncher"]:
    """A launcher of the other bot, or of ours: forked where the system can, as a command elsewhere."""
    from chatscript.runner.bot_process import CommandLauncher

    if other is not None:
        yield CommandLauncher(split_command(other), folder=Path.cwd())
        return
    if not hasattr(os, "fork"):
        yield CommandLauncher(PROGRAM)
        return
    from bot.testing.fork_client import ForkClient

    with closing(ForkClient((*PROGRAM, "fork-server"))) as forking:
        yield forking


def split_command(command: str) -> list[str]:
    """Split a command as a shell does."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--bot") from None
    if not words:
        raise typer.BadParameter("a command is needed, such as 'node bot.js'", param_hint="--bot")
    return words


@app.command("nursery", hidden=True)  # its name in 0.1
@app.command("fork-server", hidden=True)
def fork_server() -> None:
    """Fork a bot for each request that comes over the socket at standard input."""
    from socket import AF_UNIX, SOCK_STREAM, fromfd

    speed_up_imports()
    from bot.app import preload
    from bot.testing.fork_server import ForkServer

    preload()
    gc.freeze()  # or the end of this process would look through everything for garbage, twice
    ForkServer(lambda: sys.exit(start_bot()), fromfd(sys.stdin.fileno(), AF_UNIX, SOCK_STREAM)).run()
