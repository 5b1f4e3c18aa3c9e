"""Reads the command line and hands over; nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A Telegram bot that guides a person through personal real-name verification of a cloud account."
    " Without a command it starts: with BOT_TOKEN against Telegram, without it the playground, a stand-in Telegram"
    " on this machine. docs/operating.md tells every setting.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
HERE = Path(__file__).resolve().parent


def complain(line: str) -> None:
    """Say something to whoever started the program."""
    typer.echo(line, err=True)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Start the bot: the playground without BOT_TOKEN; with it, Telegram by long polling, or by webhook."""
    if context.invoked_subcommand is not None:
        return
    from bot.settings import BadSetting, load

    try:
        settings = load()
    except BadSetting as error:
        complain(str(error))
        raise typer.Exit(2) from None
    if settings.bot_token is None:
        from playground.host import host

        raise typer.Exit(host([sys.executable, str(HERE / "run_bot.py")], port=settings.port, say=typer.echo))
    from bot.app import run

    raise typer.Exit(run(settings, complain))


@app.command()
def diagram() -> None:
    """Draw the dialogue's table as a Mermaid diagram."""
    from bot.flow.diagram import mermaid

    typer.echo(mermaid(), nl=False)


@app.command()
def play(
    files: Annotated[list[Path], typer.Argument(help="Scripts, or folders of them", metavar="FILE…")],
    keyword: Annotated[str | None, typer.Option("-k", help="Only cases whose title holds this")] = None,
    lang: Annotated[str, typer.Option(help="zh, en or all, for scripts made of {t:…} texts")] = "",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many cases side by side")] = 2,
) -> None:
    """Play .chat scripts against the bot; exit 0 only when all pass."""
    import asyncio

    from playground.launch import Command
    from playground.player import play as play_all

    languages = ("zh", "en") if lang == "all" else tuple(filter(None, (lang,)))
    status = asyncio.run(
        play_all(
            files,
            launch=Command.python(HERE / "run_bot.py"),
            texts=HERE / "bot" / "texts",
            jobs=jobs,
            keyword=keyword,
            languages=languages,
            out=typer.echo,
        )
    )
    raise typer.Exit(status)


if __name__ == "__main__":
    app()
