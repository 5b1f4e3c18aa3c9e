"""How long a hundred scripts of ten steps take, each with its own bot, and how long ten minutes of time travel take.

Run: `python -m bench.scripts [JOBS] [COUNT]`. Every script goes from /start to the question for the number; each starts
the real program on an empty folder, and checks at its end that nothing more comes. The CPU seconds
of this process and of all bots together say more on a machine that does something else, too: two cores need half of it.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from chatscript.language.bot_texts import DEFAULT_LANGUAGE, load_bot_texts
from chatscript.python_api import open_conversation
from chatscript.runner.bot_process import BotLauncher
from chatscript.runner.case_runner import RunConfig
from chatscript.suite import SuiteOptions, run_suite
from command_line import bot_launcher, usual_jobs

TEXTS = Path(__file__).resolve().parent.parent / "bot" / "texts"
SCRIPT = """title: Ten steps
> /start
< {t:type.ask} [*]
> [{t:choice.personal}]
~ {t:consent.ask} [*]
> [{t:choice.agree}]
~ {t:consent.done} {t:name.ask} [*]
> 王小明
x >
x {t:consent.done} {t:name.ask}
< {t:consent.done} {t:number.ask} [*]
"""
TO_CODE = """> 11010519491231002X
x >
x {t:consent.done} {t:number.ask}
< {t:consent.done} {t:confirm.ask} [*]
> [{t:choice.wechat}]
~ (photo) {t:scan.waiting} [*]
"""
SPAN, EXPIRED = "10m", "~ (photo) {t:expired.ask} [*]"


def main(jobs: int, count: int) -> None:
    """Measure both, print both."""
    worked = sum(os.times()[:4])
    with bot_launcher() as launcher:
        began = time.monotonic()
        play(launcher, jobs, count)
        seconds = time.monotonic() - began
    cpu = sum(os.times()[:4]) - worked  # the processes of the bots are counted once they have ended
    with bot_launcher() as launcher:
        travel = asyncio.run(travel_time(launcher))
    print(f"{count} scripts of ten steps, {jobs} side by side: {seconds:.1f} s, {cpu:.1f} s of CPU")
    print(f"{SPAN} of time travel, until the chat shows what came of it: {travel:.2f} s")


def play(launcher: BotLauncher, jobs: int, count: int) -> None:
    """Write the scripts and play them. Raises `SystemExit` with the report of those that fail."""
    output: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            Path(folder, f"{number:03}.chat").write_text(SCRIPT, encoding="utf-8")
        status = asyncio.run(
            run_suite([Path(folder)], SuiteOptions(jobs), launcher=launcher, texts=TEXTS, out=output.append)
        )
    if status:
        sys.exit("\n".join(line for line in output if not line.startswith("["))[:4000])


async def travel_time(launcher: BotLauncher) -> float:
    """Return the seconds from `@wait 10m` to the edit that says that the code has expired."""
    config = RunConfig(launcher, load_bot_texts(TEXTS))
    async with open_conversation(config, "time travel", DEFAULT_LANGUAGE) as conversation:
        await conversation.play(SCRIPT.partition("\n")[2] + TO_CODE)
        began = time.monotonic()
        await conversation.play(f"@wait {SPAN}\n{EXPIRED}")
        return time.monotonic() - began


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + [str(usual_jobs(None)), "100"][len(sys.argv) - 1 :])))
