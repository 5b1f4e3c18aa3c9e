"""The operators' commands, as the command line offers them; what they do is imported when they are asked for."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.report import run_command
from bot.cli.support_commands import add_support_commands

if TYPE_CHECKING:
    from bot.settings import Settings

keys = typer.Typer(help="Look after the encryption keys.", rich_markup_mode=None)


def add_operator_commands(app: typer.Typer) -> typer.Typer:
    """A command line that offers them too."""
    for command in (doctor, backup, retention, erase):
        app.command()(command)
    add_support_commands(app)
    app.add_typer(keys, name="keys")
    return app


@keys.callback()
def _group() -> None:
    """Look after the encryption keys."""


@keys.command()
def rotate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be sealed anew")] = False,  # noqa: FBT002
) -> None:
    """Seal everything with a new key.

    The bot may run meanwhile, and follows. At the end the old keys are taken out. Cut short, the next call goes on.
    """
    from bot.cli import keys as rotation

    run_command(lambda settings: (rotation.count if dry_run else rotation.rotate)(settings, typer.echo))


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask Telegram")] = False,  # noqa: FBT002
) -> None:
    """Check settings, keys, database, Telegram.

    One line for each thing that was looked at; exit 1 when one of them is a problem.
    """
    from bot.cli.doctor import run_checks

    raise typer.Exit(asyncio.run(run_checks(typer.echo, offline=offline)))


def backup(file: Annotated[Path, typer.Argument(help="The copy; must not exist yet", metavar="FILE")]) -> None:
    """Copy the SQLite database to one file.

    The bot may run meanwhile. The copy is checked, and holds no key: without the keys it holds no name and no number.
    """
    from bot.cli import data

    run_command(lambda settings: data.backup(settings, file, typer.echo))


def retention(
    at: Annotated[str, typer.Option(help="As if it were then: 2027-01-31, 2027-01-31T12:00, or +400d")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Needed for a time to come")] = False,  # noqa: FBT002
) -> None:
    """Delete what is past its time.

    The running bot does so every hour. Says how much went, of each kind.
    """
    from bot.cli import data
    from bot.clock import Clock

    def work(settings: "Settings") -> Awaitable[int]:
        now = Clock(settings.clock_offset_file).now()
        moment = _moment(at, now) if at else now
        if moment > now and not yes:
            raise typer.BadParameter("that is yet to come, and deletes what should still be kept: add --yes to mean it")
        return data.retention(settings, moment, typer.echo)

    run_command(work)


def erase(
    account: Annotated[str, typer.Argument(help="As it is stored: telegram:100012345")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,  # noqa: FBT002
) -> None:
    """Erase what is kept about an account.

    As its person can by /privacy: everything but its place among the three accounts of its ID number.
    """
    from bot.cli import data
    from verification.ids import Account

    if not yes:
        typer.confirm("This cannot be undone. Erase?", abort=True)
    run_command(lambda settings: data.erase(settings, Account(account), typer.echo))


def _moment(text: str, now: datetime) -> datetime:
    if text.startswith("+") and text.endswith("d") and text[1:-1].isdecimal():
        return now + timedelta(days=int(text[1:-1]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--at: write 2027-01-31, 2027-01-31T12:00 or +400d") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
