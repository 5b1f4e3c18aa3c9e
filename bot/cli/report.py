"""What a check has found, and how it is told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

Say = Callable[[str], None]


class CommandFailed(Exception):
    """A command cannot do what it was asked for; the message is one line that says why."""


class Severity(StrEnum):
    """How bad it is; a problem makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; never a secret, at most a fingerprint."""

    severity: Severity
    text: str


def ok(text: str) -> Finding:
    """What is as it should be."""
    return Finding(Severity.OK, text)


def warning(text: str) -> Finding:
    """What may be meant so."""
    return Finding(Severity.WARNING, text)


def problem(text: str) -> Finding:
    """What must be mended."""
    return Finding(Severity.PROBLEM, text)


def print_findings(findings: Iterable[Finding], say: Say) -> int:
    """Tell them, and say the exit status."""
    status = 0
    for finding in findings:
        say(f"{finding.severity}: {finding.text}")
        status = max(status, int(finding.severity is Severity.PROBLEM))
    return status


def write(file: Path, content: bytes) -> None:
    """Write a file; raises `Impossible`."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise CommandFailed(f"{file}: cannot be written ({error.strerror})") from None


if TYPE_CHECKING:
    from bot.settings import Settings


def run_command(work: Callable[["Settings"], Awaitable[int]]) -> NoReturn:
    """Do it with the settings; what goes wrong is one line, as when the bot starts."""
    from bot.cli.report import CommandFailed
    from bot.content.topics import BadTopics
    from bot.settings import BadSetting, load
    from storage import BadKeys, StorageError, WrongKeys

    async def awaited() -> int:
        return await work(load())

    try:
        status = asyncio.run(awaited())
    except (BadSetting, BadTopics, CommandFailed, StorageError) as error:
        typer.echo(str(error), err=True)
        status = 2 if isinstance(error, BadSetting | BadTopics | BadKeys | WrongKeys) else 1
    raise typer.Exit(status)
