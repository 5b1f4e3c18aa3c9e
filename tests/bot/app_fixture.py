"""Runs the bot in this process against the simulator: its objects and loops, without its signal handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.app import open_app, run_loops
from bot.container.parts import BotApp
from bot.settings import Settings
from tests.simulator_fixture import TOKEN, Simulator
from tests.sqlite_file import sqlite_url


@dataclass(frozen=True, slots=True)
class RunningBot:
    """A running bot."""

    simulator: Simulator
    app: BotApp

    async def wait_until_quiet(self) -> None:
        """Wait until every update is handled and everything committed is shown."""
        await self.simulator.wait_until_idle()
        assert await self.app.engine.runner.wait_until_idle(20), "a reply is not shown yet"
        await self.simulator.wait_until_idle()


def settings_for(simulator: Simulator, folder: Path, **facts: Any) -> Settings:
    """The settings of a bot on this simulator, without the developer's own environment."""
    given: dict[str, Any] = {
        "bot_token": TOKEN,
        "bot_api_url": simulator.url,
        "data_dir": folder,
        "database_url": "",
        "host": "127.0.0.1",
        "port": 0,
        "public_url": "",
        "webhook_url": "",
        "language": "zh",
        "pace_sending": False,
    }
    return Settings(**(given | facts))


@asynccontextmanager
async def running_bot(simulator: Simulator, folder: Path, **facts: Any) -> AsyncIterator[RunningBot]:
    """Run a bot while the context is open; its database and keys are in the folder."""
    settings = settings_for(simulator, folder, **facts)
    if not settings.database_url:
        sqlite_url(folder)
    failure: Exception | None = None
    async with open_app(settings, lambda _: None) as app, run_loops(app):
        try:
            yield RunningBot(simulator, app)
        except Exception as error:
            failure = error  # the task groups around it would wrap it five times
    if failure is not None:
        raise failure
