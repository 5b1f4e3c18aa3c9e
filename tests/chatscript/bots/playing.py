"""Runs a script against a small bot."""

import asyncio
import atexit
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bot.testing.fork_client import ForkClient
from chatscript.language.bot_texts import BotTexts
from chatscript.report.console import failure_report
from chatscript.results import CaseResult
from chatscript.runner.bot_process import BotLauncher, CommandLauncher
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.runner.event_waiter import Timing
from chatscript.suite import cases_of

FORM_BOT = Path(__file__).with_name("form_bot.py")
SHOP_BOT = Path(__file__).with_name("shop_bot.py")
ROOT = Path(__file__).parents[3]
TIMING = Timing(silence=1.0, settle=0.3)
"""These bots send their messages at once, so that less silence than usual says that nothing more comes."""


@cache
def launcher_for(bot: Path) -> BotLauncher:
    """Return a launcher for a small bot: forked from one process where the system can fork."""
    if not hasattr(os, "fork"):
        return CommandLauncher.python(bot)
    begin = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.chatscript.bots.forked import main; "
    forking = ForkClient((sys.executable, "-c", f"{begin}main({str(bot)!r})"))
    atexit.register(forking.close)
    return forking


async def play_text(
    folder: Path,
    source: str,
    *,
    bot: Path = FORM_BOT,
    bot_texts: BotTexts | None = None,
    languages: Sequence[str] = (),
) -> list[CaseResult]:
    """Run every case of a script in parallel."""
    path = folder / "talk.chat"
    path.write_text(source, encoding="utf-8")
    texts = bot_texts or BotTexts()
    config = RunConfig(launcher_for(bot), texts, TIMING)
    cases = cases_of(path, texts, languages)
    return list(await asyncio.gather(*(run_case(case, config) for case in cases)))


async def passes(folder: Path, source: str, bot: Path = FORM_BOT) -> None:
    """Assert that a script passes."""
    for result in await play_text(folder, source, bot=bot):
        assert result.failure is None, failure_report(result)


async def report_of(folder: Path, source: str, bot: Path = FORM_BOT) -> str:
    """Run a script that must fail and return its report."""
    (result,) = await play_text(folder, source, bot=bot)
    assert result.failure is not None, "the script passed"
    return failure_report(result)
