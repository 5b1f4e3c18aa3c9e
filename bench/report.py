"""Turns measurements into tables, ratios and a page."""

import math
import os
import platform
from collections.abc import Callable, Sequence

from bench.bots import AIOGRAM, FLOOR, OURS
from bench.matrix import Results, Row
from bench.measuring import COUNTERS, LOAD_LIMIT, Load, Measurement, median

_OURS, _AIOGRAM, _FLOOR = Row(OURS), Row(AIOGRAM), Row(FLOOR)
_CUT_OFF, _INVALID = "\\*", "†"

_INTRODUCTION = """\
# Performance

![CPU, throughput and result of each bot](pictures/performance.svg)

`make bench` measures our bot beside four others, writes this page and its picture, and takes about 20 minutes on a
quiet machine. `make bench BENCH=--quick` prints the most important rows within a minute or two.

This page is from {source},
on {machine}, of which other programs used {others:.0%} meanwhile.
**Only ratios within a run mean anything**: a row may differ by more than half between two runs on a busy machine.

Every bot holds the same conversation: the messages and presses from /start to a QR code, then the phone, then the
result. Every bot makes as many calls to the Bot API as ours made just before it, counted from our own run. Ours serves
the phone's pages (five requests), seals what it stores and counts the funnel besides; the others are told of the
phone by a line over a connection. Everything that ours does is on; only the limits on sending and on attempts are off.

| Row | What it is |
|---|---|
| **ours** | this bot by long polling, with SQLite |
| aiogram 3 FSM + aiosqlite FULL | aiogram's state machine, each write a commit with `synchronous=FULL` |
| PTB ConversationHandler + PicklePersistence | as python-telegram-bot's examples, written to the file at each update |
| PTB floor | python-telegram-bot's objects with a handler, calls, group commit and QR code written for speed alone |
| grammY runner | Node; all in memory, so that a restart forgets every conversation |

The bot has one core and the load another. *Step* is the time from a message or press to the answer in the chat,
*result* from the last press on the phone to the result in the chat. *Core* is the share of a core that the bot and the
load use. Rows marked {invalid} say nothing: a conversation failed, or the load used more than {limit:.0%} of its core.
Rows marked {cut_off} were cut off: their rates are from the steps that were answered, and their waits would have grown
further. The programs are in `bench/peers`.
"""


def tables(results: Results) -> str:
    """All tables, as Markdown."""
    parts = [f"## {load.name}\n\n{_load_table(results, load)}" for load in results]
    first = next(iter(results))
    parts += [f"## Ratios within the run\n\n{_ratio_table(results)}"]
    parts += [f"## Start, memory and storage\n\n{_start_table(results, first)}"]
    return "\n\n".join(parts) + "\n"


def page(results: Results, *, repetitions: int) -> str:
    """The page of the documents."""
    source = (
        f"the medians of {repetitions} interleaved repetitions"
        if repetitions >= 3
        else ("a short run, which measured each row once; `make bench` measures it three times")
    )
    machine = f"{len(os.sched_getaffinity(0))} cores ({platform.machine()}), Python {platform.python_version()}"
    runs = [run for rows in results.values() for runs in rows.values() for run in runs]
    introduction = _INTRODUCTION.format(
        source=source,
        machine=machine,
        others=figure(runs, "others"),
        limit=LOAD_LIMIT,
        invalid=_INVALID,
        cut_off=_CUT_OFF,
    )
    return f"{introduction}\n{tables(results)}"


def figure(runs: Sequence[Measurement], name: str) -> float:
    """The median of a figure over the repetitions; NaN where it was not measured."""
    return median([run.values.get(name, math.nan) for run in runs])


def _load_table(results: Results, load: Load) -> str:
    columns: Sequence[tuple[str, Callable[[Sequence[Measurement]], str]]] = (
        ("Calls", lambda runs: _number(figure(runs, "calls"))),
        ("CPU, ms a conversation", lambda runs: _number(figure(runs, "cpu"))),
        ("CPU, ms a call", lambda runs: f"{figure(runs, 'cpu per call'):.2f}"),
        ("Conversations/s", lambda runs: _number(figure(runs, "rate"))),
        (
            "Step p50 / p99, ms",
            lambda runs: f"{_number(figure(runs, 'step p50'))} / {_number(figure(runs, 'step p99'))}",
        ),
        ("Result p50, ms", lambda runs: _number(figure(runs, "result p50"))),
        ("Peak memory, MiB", lambda runs: f"{figure(runs, 'memory peak'):.0f}"),
        ("Core: bot / load", lambda runs: f"{figure(runs, 'bot share'):.0%} / {figure(runs, 'load share'):.0%}"),
        ("Failed", lambda runs: str(sum(len(run.failures) for run in runs))),
        ("Runs", lambda runs: str(len(runs))),
    )
    rows = [[_marked(row, runs), *(write(runs) for _, write in columns)] for row, runs in results[load].items() if runs]
    return _markdown(["Bot", *(title for title, _ in columns)], rows)


def _marked(row: Row, runs: Sequence[Measurement]) -> str:
    marks = (_CUT_OFF if any(run.cut_off for run in runs) else "") + (
        "" if all(run.is_valid for run in runs) else _INVALID
    )
    return f"{row.name} {marks}".strip()


def _start_table(results: Results, load: Load) -> str:
    columns = ("start", "memory after start", "stored", *COUNTERS)
    titles = (
        "Start to first getUpdates, ms",
        "Memory after start, MiB",
        "Stored bytes a conversation",
        *map(_per_conversation, COUNTERS),
    )
    rows = [
        [row.name, *(_number(figure(runs, name)) for name in columns)]
        for row, runs in results[load].items()
        if runs and not row.all_calls
    ]
    ratios = ["ours ÷ PTB floor", *(_ratio(results, load, name, _FLOOR) for name in columns[:2])]
    return _markdown(["Bot", *titles], [*rows, ratios + ["–"] * (len(columns) - 2)])


def _per_conversation(counter: str) -> str:
    return f"{counter.capitalize()} a conversation"


def _ratio_table(results: Results) -> str:
    titles = (
        "Load",
        "CPU ÷ aiogram's",
        "CPU ÷ PTB floor's",
        "Conversations/s ÷ aiogram's",
        "Step p99 ÷ aiogram's",
        "Result p50 ÷ step p50 of ours",
    )
    rows = [
        [
            load.name,
            _ratio(results, load, "cpu", _AIOGRAM),
            _ratio(results, load, "cpu", _FLOOR),
            _ratio(results, load, "rate", _AIOGRAM),
            _ratio(results, load, "step p99", _AIOGRAM),
            _paired(results[load].get(_OURS, ()), results[load].get(_OURS, ()), "result p50", "step p50"),
        ]
        for load in results
    ]
    return _markdown(titles, rows)


def _ratio(results: Results, load: Load, name: str, other: Row) -> str:
    return _paired(results[load].get(_OURS, ()), results[load].get(other, ()), name, name)


def _paired(ours: Sequence[Measurement], others: Sequence[Measurement], name: str, of: str) -> str:
    """The median of the ratios within each repetition."""
    ratio = median([our.values[name] / other.values[of] for our, other in zip(ours, others, strict=False)])
    return "–" if math.isnan(ratio) else f"{ratio:.2f}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("| --- ", "|---").replace("|--- |", "|---|") for line in lines)
