"""Plays a script given as text against a small bot."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from playground.catalogue import Catalogue
from playground.launch import Command
from playground.performing import Company, Result, perform
from playground.player import takes_of
from playground.report import failure_report

FORM_BOT = Path(__file__).with_name("form_bot.py")
SHOP_BOT = Path(__file__).with_name("shop_bot.py")


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
    company = Company(Command.python(bot), texts)
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
