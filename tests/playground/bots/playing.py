"""Plays a script given as text against the form bot."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from playground.catalogue import Catalogue
from playground.launch import Command
from playground.performing import Company, Result, perform
from playground.player import takes_of
from playground.report import failure_report

FORM_BOT = Path(__file__).with_name("form_bot.py")


async def play_text(
    folder: Path, source: str, *, catalogue: Catalogue | None = None, languages: Sequence[str] = ()
) -> list[Result]:
    """Play every case of a script at once."""
    path = folder / "talk.chat"
    path.write_text(source, encoding="utf-8")
    texts = catalogue or Catalogue()
    company = Company(Command.python(FORM_BOT), texts)
    takes = takes_of(path, texts, languages)
    return list(await asyncio.gather(*(perform(take, company) for take in takes)))


async def passes(folder: Path, source: str) -> None:
    """Insist that a script passes."""
    for result in await play_text(folder, source):
        assert result.failure is None, failure_report(result)


async def report_of(folder: Path, source: str) -> str:
    """Play a script that must fail, and return its report."""
    (result,) = await play_text(folder, source)
    assert result.failure is not None, "the script passed"
    return failure_report(result)
