"""The operators' commands on the command line; each imports its code only when it runs, so that help stays fast."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.report import run_command
from bot.cli.support_commands import add_support_commands

if TYPE_CHECKING:
    from bot.settings import Settings

keys = typer.Typer(help="Manage the encryption keys.", rich_markup_mode=None)


def add_operator_commands(app: typer.Typer) -> typer.Typer:
    """Add the operators' and support's commands to a command line."""
    for command in (doctor, health, backup, restore, retention, erase, move_bot):
        app.command()(command)
    add_support_commands(app)
    app.add_typer(keys, name="keys")
    return app


@keys.callback()
def _group() -> None:
    """Manage the encryption keys."""


@keys.command()
def rotate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be resealed")] = False,  # noqa: FBT002
) -> None:
    """Reseal everything with a new key.

    The bot may run meanwhile; it uses the new key from then on. The old keys are removed at the end. If the command is
    interrupted, run it again: it continues.
    """
    from bot.cli import keys as rotation

    run_command(lambda settings: (rotation.count if dry_run else rotation.rotate)(settings, typer.echo))


def doctor(
    context: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server")] = False,  # noqa: FBT002
) -> None:
    """Check settings, keys, database, Telegram, the provider, the receiver of results, PUBLIC_URL and the clock.

    Prints one line for each check; the exit status is 1 when one of them is a problem.
    """
    import asyncio

    from bot.cli.doctor import run_checks

    raise typer.Exit(asyncio.run(run_checks(typer.echo, offline=offline, program=str(context.obj))))


def health() -> None:
    """Ask whether the bot that runs here is ready.

    Prints one line, and exits with 0 when it is, and with 1 when it is not: a health check for containers.
    """
    from bot.cli.health import check_health

    raise typer.Exit(check_health(typer.echo))


def backup(
    file: Annotated[
        Path, typer.Argument(help="The copy, which must not exist yet; or a folder", metavar="FILE|FOLDER|-")
    ],
    keep: Annotated[int | None, typer.Option(min=1, help="Keep so many copies in the folder")] = None,
) -> None:
    """Copy the database to one SQLite file.

    The bot may run meanwhile. The copy is checked. It contains no key, and without the keys no name and no number. In a
    folder, the copy is named after its time.
    """
    from bot.cli import data

    run_command(lambda settings: data.backup(settings, file, typer.echo, keep=keep))


def restore(
    file: Annotated[Path, typer.Argument(help="A copy that backup made", metavar="FILE")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,  # noqa: FBT002
) -> None:
    """Put a copy in the place of the database.

    Stop the bot first. The copy is checked, also with the keys. The former database stays beside it, renamed; that of a
    server as a copy in DATA_DIR.
    """
    from bot.cli import data

    if not yes:
        typer.confirm("What happened after the copy is not in it. Restore?", abort=True)
    run_command(lambda settings: data.restore(settings, file, typer.echo))


def retention(
    at: Annotated[str, typer.Option(help="As if it were that time: 2027-01-31, 2027-01-31T12:00, or +400d")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Needed for a time in the future")] = False,  # noqa: FBT002
) -> None:
    """Delete expired records.

    The running bot does so every hour. Prints how many records of each kind were deleted.
    """
    from bot.cli import data
    from bot.clock import Clock

    def work(settings: "Settings") -> Awaitable[int]:
        now = Clock(settings.clock_offset_file).now()
        time = _time(at, now) if at else now
        if time > now and not yes:
            raise typer.BadParameter("this time is in the future, and would delete current records: confirm with --yes")
        return data.retention(settings, time, typer.echo)

    run_command(work)


def erase(
    account: Annotated[
        str, typer.Argument(help="An account, or telegram:100012345 for the person with that Telegram id")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,  # noqa: FBT002
    free_slot: Annotated[  # noqa: FBT002
        bool, typer.Option("--free-slot", help="Free its quota slot too: the account was closed or verified anew")
    ] = False,
) -> None:
    """Erase what is stored about an account.

    As its person can with /privacy: everything but the quota slot of its ID number.
    """
    from bot.cli import data
    from verification.ids import Account

    if not yes:
        typer.confirm("This cannot be undone. Erase?", abort=True)
    run_command(lambda settings: data.erase(settings, Account(account), typer.echo, frees_slot=free_slot))


def move_bot(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,  # noqa: FBT002
) -> None:
    """Move the database to another bot.

    BOT_TOKEN names the bot; no program may use the database meanwhile. A new token of the same bot needs no move.
    """
    from bot.cli.move_bot import move_bot

    def confirm(question: str) -> object:
        return yes or typer.confirm(question, abort=True)

    run_command(lambda settings: move_bot(settings, confirm, typer.echo))


def _time(text: str, now: datetime) -> datetime:
    if text.startswith("+") and text.endswith("d") and text[1:-1].isdecimal():
        return now + timedelta(days=int(text[1:-1]))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--at: write 2027-01-31, 2027-01-31T12:00 or +400d") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
