"""The findings of checks, and what every command needs: its error, its output, its exit status."""

import os
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from errno import ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from verification.record import Record

Say = Callable[[str], None]


class CommandFailed(Exception):
    """A command cannot do its work; the message is one line that says why."""


class Severity(StrEnum):
    """The severity of a finding; a problem makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(Record):
    """One line of a report; it never holds a secret, at most a fingerprint of one."""

    severity: Severity
    text: str


def ok(text: str) -> Finding:
    """A finding that is in order."""
    return Finding(Severity.OK, text)


def warning(text: str) -> Finding:
    """A finding that may be intended."""
    return Finding(Severity.WARNING, text)


def problem(text: str) -> Finding:
    """A finding that must be corrected."""
    return Finding(Severity.PROBLEM, text)


def print_findings(findings: Iterable[Finding], say: Say) -> int:
    """Print findings, and give the exit status: 1 if one is a problem."""
    status = 0
    for finding in findings:
        say(f"{finding.severity}: {finding.text}")
        status = max(status, int(finding.severity is Severity.PROBLEM))
    return status


STDOUT = Path("-")
"""Written in the place of a file, it is standard output."""


def check_outputs(**files: Path | None) -> None:
    """Raise an error where a file cannot be written, before the work of which it would show the result.

    The files are named by their options. Raises `BadSetting` or `CommandFailed`.
    """
    from bot.settings import BadSetting

    to_stdout = [f"--{option}" for option, file in files.items() if file == STDOUT]
    if len(to_stdout) > 1:
        raise BadSetting(f"{', '.join(to_stdout)}: only one of them can go to standard output")
    for file in files.values():
        if file is None or file == STDOUT:
            continue
        if file.is_file() or file.is_symlink():
            raise CommandFailed(f"{file}: exists already, and is not overwritten")
        if not file.parent.is_dir():
            raise CommandFailed(f"{file}: cannot be written ({os.strerror(ENOENT)})")


def write(file: Path, content: bytes) -> None:
    """Write a new file, or a device, or standard output; raises `CommandFailed`."""
    if file == STDOUT:
        typer.echo(content, nl=False)
        return
    try:
        with file.open("wb" if file.exists() and not file.is_file() else "xb") as output:
            output.write(content)
    except FileExistsError:
        raise CommandFailed(f"{file}: exists already, and is not overwritten") from None
    except OSError as error:
        raise CommandFailed(f"{file}: cannot be written ({error.strerror})") from None


if TYPE_CHECKING:
    from bot.settings import Settings


def run_command(work: Callable[["Settings"], Awaitable[int]]) -> NoReturn:
    """Run a command with the settings, and exit with its status.

    An error is one line on stderr. The status is 2 for wrong settings, FAQ files or keys, and 1 for any other error.
    """
    import asyncio

    from bot.content.topics import BadTopics
    from bot.settings import BadSetting, load
    from storage import BadKeys, StorageError, WrongBot, WrongKeys

    async def run() -> int:
        return await work(load(lambda line: typer.echo(line, err=True)))

    try:
        status = asyncio.run(run())
    except (BadSetting, BadTopics, CommandFailed, StorageError) as error:
        typer.echo(str(error), err=True)
        status = 2 if isinstance(error, BadSetting | BadTopics | BadKeys | WrongBot | WrongKeys) else 1
    raise typer.Exit(status)
