"""Draws docs/pictures/dashboard.svg: the panels of the Grafana dashboard, with what a real run measured.

`make dashboard-picture` runs it. People talk to the bot, which is a process of its own on the simulated Telegram, and
/metrics is scraped meanwhile. The places, titles and expressions are those of deploy/grafana-dashboard.json. It is a
drawing of ours and no picture of Grafana: colours and letters differ there.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from bench.people import id_number
from playground.phone.browser import Phone
from tests.crash.conversation import DONE, STEPS
from tests.crash.process import PLAIN_LAUNCHER, ManagedBot, running_bot_process
from tests.promql import Labels, Scrape, evaluate
from tests.result_receiver import SECRET, result_receiver
from tests.simulator_fixture import Simulator, press, simulator

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
PICTURE = ROOT / "docs" / "pictures" / "dashboard.svg"
PEOPLE, SECONDS_APART, SCRAPE_SECONDS = 40, 1.5, 2.0
COLUMN, ROW, GAP = 50, 24, 6
"""Pixels of a column and a row of Grafana's grid of 24 columns."""
COLOURS = ("#3274d9", "#e0752d", "#629e51", "#a352cc", "#c15c17", "#0a437c", "#890f02", "#6d1f62")
MOST_SERIES = 4
DECLINED = "这次没有通过"
Json = dict[str, Any]
Row = tuple[str, list[tuple[float, float]]]
"""The name of a series and its points."""


async def measure() -> list[Scrape]:
    """Let people verify themselves, and scrape meanwhile."""
    with tempfile.TemporaryDirectory(prefix="dashboard-") as folder:
        async with simulator() as telegram, result_receiver() as receiver:
            settings = {"RESULT_WEBHOOK_URL": receiver.url, "RESULT_WEBHOOK_SECRET": SECRET, "RATE_LIMIT_SENDING": "1"}
            async with running_bot_process(telegram, Path(folder), PLAIN_LAUNCHER, **settings) as bot:
                return await _scrape_while_people_come(telegram, bot)


async def _scrape_while_people_come(telegram: Simulator, bot: ManagedBot) -> list[Scrape]:
    scrapes: list[Scrape] = []
    clock = asyncio.get_running_loop().time
    began = clock()
    async with asyncio.TaskGroup() as tasks:
        people = tasks.create_task(_come(telegram))
        while not people.done():
            async with telegram.http.get(f"{bot.address()}/metrics") as answer:
                scrapes.append(Scrape.read(clock() - began, await answer.text(), instance="bot1"))
            await asyncio.wait({people}, timeout=SCRAPE_SECONDS)
    return scrapes


async def _come(telegram: Simulator) -> None:
    async with asyncio.TaskGroup() as tasks:
        for index in range(PEOPLE):
            tasks.create_task(_converse(telegram, id_number(index), declines=index % 5 == 1))
            await asyncio.sleep(SECONDS_APART)


async def _converse(telegram: Simulator, number: str, *, declines: bool) -> None:
    guest = await telegram.new_user()
    async with Phone() as phone:
        for step in STEPS[:-1]:
            await (guest.says(number) if step.name == "number" else step.do(guest, phone))
            await guest.sees(step.reply_text)
        await press(phone, "前往授权")
        await press(phone, "拒绝" if declines else "授权验证")
        await guest.sees(DECLINED if declines else DONE)


def draw(panels: Sequence[Json], scrapes: Sequence[Scrape]) -> str:
    """Draw the panels as SVG."""
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * ROW + 30
    drawn = "\n".join(line for panel in panels for line in _panel(panel, scrapes))
    said = f"{PEOPLE} people, {scrapes[-1].at:.0f} s, {len(scrapes)} scrapes; renewed by make dashboard-picture"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * COLUMN} {height}" font-family="sans-serif"'
        f' font-size="11">\n<rect width="100%" height="100%" fill="#f4f5f5"/>\n{drawn}\n'
        f'<text x="{GAP}" y="{height - 10}" fill="#555">{escape(said)}</text>\n</svg>\n'
    )


def rows_of(panel: Json, scrapes: Sequence[Scrape]) -> list[Row]:
    """The series of a panel, at each scrape from the second on."""
    rows: dict[tuple[int, Labels], Row] = {}
    for number, target in enumerate(panel["targets"]):
        for end in range(2, len(scrapes) + 1):
            for labels, value in evaluate(target["expr"], scrapes[:end]).items():
                name = _name(target.get("legendFormat") or "", dict(labels))
                rows.setdefault((number, labels), (name, []))[1].append((scrapes[end - 1].at, value))
    return [rows[key] for key in sorted(rows, key=lambda key: (key[0], rows[key][0]))]


def _name(legend: str, labels: Mapping[str, str]) -> str:
    for label, value in labels.items():
        legend = legend.replace(f"{{{{{label}}}}}", value)
    return legend


def _panel(panel: Json, scrapes: Sequence[Scrape]) -> Iterator[str]:
    place, unit = panel["gridPos"], panel["fieldConfig"]["defaults"].get("unit", "short")
    x, y = place["x"] * COLUMN + GAP / 2, place["y"] * ROW + GAP / 2
    width, height = place["w"] * COLUMN - GAP, place["h"] * ROW - GAP
    expressions = " ; ".join(target["expr"] for target in panel["targets"])
    facts = f"data-title={quoteattr(panel['title'])} data-expr={quoteattr(expressions)}"
    yield f'<g transform="translate({x} {y})" {facts}>'
    yield f'<rect width="{width}" height="{height}" rx="2" fill="#fff" stroke="#dadde0"/>'
    yield f'<text x="8" y="16" font-weight="bold" fill="#222">{escape(panel["title"])}</text>'
    rows = rows_of(panel, scrapes)
    if panel["type"] == "stat":
        words = {value: told["text"] for value, told in _mappings(panel).items()}
        for number, (name, points) in enumerate(rows[:4]):
            value = words.get(f"{points[-1][1]:.0f}", _written(points[-1][1], unit))
            text = escape(f"{name} {value}".strip())
            yield f'<text class="value" x="10" y="{36 + 16 * number}" font-size="14" fill="#37872d">{text}</text>'
    else:
        yield from _lines(rows, unit, width, height, scrapes[-1].at)
    yield "</g>"


def _mappings(panel: Json) -> dict[str, Json]:
    options = [mapping["options"] for mapping in panel["fieldConfig"]["defaults"]["mappings"]]
    return {value: told for each in options for value, told in each.items()}


def _lines(rows: Sequence[Row], unit: str, width: float, height: float, seconds: float) -> Iterator[str]:
    left, top, bottom = 62.0, 26.0, height - 46
    loud = sorted(rows, key=lambda row: -max(value for _, value in row[1]))[:MOST_SERIES]
    most = max((value for _, points in loud for _, value in points), default=0.0) or 1.0
    for share in (0.0, 0.5, 1.0):
        level = bottom - share * (bottom - top)
        yield f'<path d="M{left} {level:.1f}H{width - 10}" stroke="#e9edf2"/>'
        mark = _written(share * most, unit)
        yield f'<text x="{left - 4}" y="{level + 4:.1f}" text-anchor="end" fill="#666">{mark}</text>'
    for number, (name, points) in enumerate(loud):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(
            f"{left + at / seconds * (width - 10 - left):.1f},{bottom - value / most * (bottom - top):.1f}"
            for at, value in points
        )
        yield f'<polyline class="value" points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        x, y = 10 + (number % 2) * (width - 20) / 2, height - 26 + 14 * (number // 2)
        legend = f"{name or 'value'}: {_written(points[-1][1], unit)}"
        yield f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(legend)}</text>'


def _written(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "s":
        return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}{'/s' if unit == 'ops' else ''}"


def panels() -> list[Json]:
    """The panels of the dashboard."""
    read: list[Json] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return read


if __name__ == "__main__":
    PICTURE.write_text(draw(panels(), asyncio.run(measure())), encoding="utf-8")
