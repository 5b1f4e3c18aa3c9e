"""How long a hundred scripts of ten steps take, each with its own bot.

Run: `python -m bench.scripts [JOBS] [COUNT]`. Every script goes from /start to the question for the number; each starts
the real program on an empty folder, and checks at its end that nothing more comes.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from chatscript.suite import SuiteOptions, run_suite
from run_bot import bot_launcher

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """title: Ten steps
> /start
< ... [*]
> [{t:choice.personal}]
~ {t:type.done}
< ... [*]
> [{t:choice.agree}]
~ {t:consent.done}
< {t:name.ask}   [*]
> 王小明
x >
< {t:number.ask}   [*]
x {t:name.ask}
"""


def main(jobs: int, count: int) -> None:
    """Write the scripts, play them, print the time."""
    with tempfile.TemporaryDirectory() as folder, bot_launcher() as launch:
        for number in range(count):
            Path(folder, f"{number:03}.chat").write_text(SCRIPT, encoding="utf-8")
        output: list[str] = []
        began = time.monotonic()
        status = asyncio.run(
            run_suite(
                [Path(folder)], SuiteOptions(jobs), launcher=launch, texts=ROOT / "bot" / "texts", out=output.append
            )
        )
        seconds = time.monotonic() - began
    if status:
        sys.exit("\n".join(output))
    print(f"{count} scripts of ten steps, {jobs} side by side: {seconds:.1f} s, {seconds / count * 1000:.0f} ms each")


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["8", "100"][len(sys.argv) - 1 :])))
