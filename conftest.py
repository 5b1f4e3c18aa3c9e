"""Tells pytest how `.chat` scripts are collected, each case a test, and how their bot is started."""

import pytest

from chatscript.runner.bot_process import BotLauncher
from command_line import bot_launcher

pytest_plugins = ["chatscript.pytest_plugin", "tests.first_run", "tests.reliability", "tests.selection"]


def pytest_chat_launch(config: pytest.Config) -> BotLauncher:
    """Fork the bot for each case."""
    opened = bot_launcher()
    config.add_cleanup(lambda: opened.__exit__(None, None, None))
    return opened.__enter__()
