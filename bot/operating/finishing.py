"""How every command ends: with a status, and what went wrong in one line."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from bot.settings import Settings


def finish(work: Callable[["Settings"], Awaitable[int]]) -> NoReturn:
    """Do it with the settings; what goes wrong is one line, as when the bot starts."""
    from bot.operating.findings import Impossible
    from bot.settings import BadSetting, load
    from bot.topics import BadTopics
    from storage import BadKeys, StorageError, WrongKeys

    async def awaited() -> int:
        return await work(load())

    try:
        status = asyncio.run(awaited())
    except (BadSetting, BadTopics, Impossible, StorageError) as error:
        typer.echo(str(error), err=True)
        status = 2 if isinstance(error, BadSetting | BadTopics | BadKeys | WrongKeys) else 1
    raise typer.Exit(status)
