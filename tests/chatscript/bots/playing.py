"""Plays a script given as text against a small bot."""

import asyncio
import atexit
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bot.testing.fork_client import Forking
from chatscript.language.bot_texts import Catalogue
from chatscript.report.console import failure_report
from chatscript.results import Result
from chatscript.runner.bot_process import Command, Launch
from chatscript.runner.case_runner import Company, perform
from chatscript.suite import takes_of

FORM_BOT = Path(__file__).with_name("form_bot.py")
SHOP_BOT = Path(__file__).with_name("shop_bot.py")
ROOT = Path(__file__).parents[3]


@cache
def launch_of(bot: Path) -> Launch:
    """A quick way to start a small bot: forked where the system can, out of one process for all tests of this one."""
    if not hasattr(os, "fork"):
        return Command.python(bot)
    begin = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.chatscript.bots.forked import main; "
    forking = Forking((sys.executable, "-c", f"{begin}main({str(bot)!r})"))
    atexit.register(forking.close)
    return forking


async def play_text(
    folder: Path,
    source: str,
    *,
    bot: Path = FORM_BOT,
    catalogue: Catalogue | None = None,
    languages: Sequence[str] = (),
) -> list[Result]:
    """Play every case of a script at once."""
    path = folder / "talk.chat"
    path.write_text(source, encoding="utf-8")
    texts = catalogue or Catalogue()
    company = Company(launch_of(bot), texts)
    takes = takes_of(path, texts, languages)
    return list(await asyncio.gather(*(perform(take, company) for take in takes)))


async def passes(folder: Path, source: str, bot: Path = FORM_BOT) -> None:
    """Insist that a script passes."""
    for result in await play_text(folder, source, bot=bot):
        assert result.failure is None, failure_report(result)


async def report_of(folder: Path, source: str, bot: Path = FORM_BOT) -> str:
    """Play a script that must fail, and return its report."""
    (result,) = await play_text(folder, source, bot=bot)
    assert result.failure is not None, "the script passed"
    return failure_report(result)
