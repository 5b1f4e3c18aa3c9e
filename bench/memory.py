"""Whether our bot's memory stays flat over many conversations, and how much it stores of each.

Run: `python -m bench.memory`, or `python -m bench.memory 100000`. Fifty people at a time verify, each in a new chat;
after every twentieth part the bot's memory and the pages of its database that are in use are read.
"""

import sys

import uvloop

from bench.bots import MOST_CALLS, OURS
from bench.measuring import connections_of_phones, running
from bench.process import cores, pinned_to

PEOPLE = 50
PARTS = 20


async def measure(conversations: int) -> None:
    """Hold the conversations, and print the table."""
    part = max(conversations // PARTS, 1)
    async with (
        connections_of_phones() as http,
        running(OURS, calls=MOST_CALLS, http=http) as bot,
    ):
        await bot.wait_until_quiet()
        finished, failed = 0, 0
        samples = [(0, bot.memory()[0], bot.stored_bytes())]
        print(f"{'conversations':>13}{'memory':>12}{'database':>14}")
        while finished + failed < conversations:
            times, _ = await bot.people.walk(PEOPLE, part)
            await bot.wait_until_quiet()
            finished, failed = finished + times.finished, failed + len(times.failures)
            samples.append((finished, bot.memory()[0], bot.stored_bytes()))
            print(f"{finished:13,}{samples[-1][1]:8.1f} MiB{samples[-1][2] / 1024:10,.0f} KiB", flush=True)
    _print_growth(samples, failed)


def _print_growth(samples: list[tuple[int, float, int]], failed: int) -> None:
    """Print how much grew from the middle on, when everything that is made once has been made."""
    middle, last = samples[len(samples) // 2], samples[-1]
    more = max(last[0] - middle[0], 1)
    print(f"\nFrom the {middle[0]:,}th conversation on:")
    print(f"  memory: {(last[1] - middle[1]) / more * 1000:+.2f} MiB per 1,000 conversations")
    print(f"  database: {(last[2] - middle[2]) / more:,.0f} bytes per finished verification")
    print(f"  failed: {failed}")


def main() -> None:
    """Run it pinned, as the other benchmark is."""
    with pinned_to(cores()[1]):
        uvloop.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))


if __name__ == "__main__":
    main()
