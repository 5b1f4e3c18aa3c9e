"""What is watched: the metrics of a running bot, and the dashboard and the alerts that are made of them."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import __version__
from tests.bot.app_fixture import running_bot
from tests.crash.process import free_port
from tests.dashboard_picture import PICTURE, panels
from tests.promql import Scrape, evaluate
from tests.provider_server import SECRET
from tests.simulator_fixture import simulator

DEPLOY = Path(__file__).parents[1] / "deploy"
GUIDE = (DEPLOY.parent / "docs" / "operators" / "guide.md").read_text(encoding="utf-8")
OURS = re.compile(r"\b(?:bot|storage|web|process)_[a-z_]+\b")
MATCHER = re.compile(r"\b([a-z_]+)(?:\{([^}]*)\})")
BY = re.compile(r"\bby \(([^)]*)\)")
OF_PROMETHEUS = {"job", "instance"}
COUNTED_LATER = ("bot_funnel_", "bot_questions_")
"""Their labels are campaigns and topics, which are not known before somebody comes."""
SETTINGS = {
    "desk_key": "one-key-of-the-desk-012345",
    "api_keys": "a-key-of-a-program-0123456",
    "result_webhook_url": "https://shop.example.org/results",
    "result_webhook_secret": SECRET,
}


def is_ours(name: str) -> bool:
    """Whether the guide names it by itself, and not with all that there is of the process and of Python."""
    return name.startswith(("bot_", "storage_", "web_"))


def base_of(name: str) -> str:
    """The metric of a series, without the ends that Prometheus gives to those of one metric."""
    return re.sub("_(bucket|count|sum|created|total)$", "", name)


def in_the_guide() -> set[str]:
    """The metrics of the guide's table."""
    rows = re.findall(r"^\| (`[^|]+) \|", GUIDE.partition("\n| Metric |")[2].partition("\n\n")[0], re.MULTILINE)
    return {name for row in rows for name in OURS.findall(row) if is_ours(name)}


async def scraped(
    folder: Path, settings: Mapping[str, str] = MappingProxyType({}), *, conversation: bool = False
) -> dict[str, list[dict[str, str]]]:
    """The series of a bot, by name; each is its labels."""
    port = free_port()
    async with simulator() as telegram, running_bot(telegram, folder, **{"port": port, **settings}) as bot:
        if conversation:
            guest = await telegram.new_user()
            await guest.says("/start")
            await bot.wait_until_quiet()
        async with telegram.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()
    series: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith(COUNTED_LATER):
            series[f"{family.name}_total"] = []
        for sample in family.samples:
            values = {"value": str(sample.value)}
            series.setdefault(sample.name, []).append(values | sample.labels)
    return series


def expressions() -> list[str]:
    """Every expression of the dashboard and of the alerts."""
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    drawn = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return drawn + [rule["expr"] for rule in alerts()]


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    yaml = pytest.importorskip("yaml_ft" if sys.version_info[:2] == (3, 13) else "yaml")
    read = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


async def test_what_is_drawn_alerted_and_in_the_guide_is_there_from_the_start_with_its_labels(tmp_path: Path) -> None:
    series = await scraped(tmp_path, SETTINGS)
    every = expressions()

    assert {base_of(name) for name in series if is_ours(name)} <= {base_of(name) for name in in_the_guide()}
    assert len(every) > 30
    for expression in every:
        for name in OURS.findall(expression):
            assert name in series, f"{name} of {expression}"
            assert series[name] or name.startswith(COUNTED_LATER), f"{name} has no series at the start"
        for name, matchers in MATCHER.findall(expression):
            for label, value in re.findall(r'([a-z_]+)="([^"]*)"', matchers):
                known = {each.get(label) for each in series.get(name, [])}
                assert label in OF_PROMETHEUS or value in known, f"{label}={value} of {expression}"
        labels = {label.strip() for found in BY.findall(expression) for label in found.split(",")}
        names = [name for name in OURS.findall(expression) if not name.startswith(COUNTED_LATER)]
        for name in names:
            known = {label for each in series[name] for label in each}
            assert labels - OF_PROMETHEUS <= known, f"{labels} of {expression}"


async def test_the_program_says_what_it_is_what_waits_and_how_long_things_take(tmp_path: Path) -> None:
    before = await scraped(tmp_path / "before")
    after = await scraped(tmp_path / "after", conversation=True)

    [build] = after["bot_build_info"]
    assert (build["version"], build["database"], build["intake"]) == (__version__, "sqlite", "polling")
    assert {each["part"]: each["value"] for each in after["bot_ready"]} == {"store": "1.0", "telegram": "1.0"}
    for name in ("bot_queue_length", "bot_queue_oldest_seconds"):
        assert {each["queue"]: each["value"] for each in after[name]} == {"replies": "0.0", "notices": "0.0"}
    assert {each["method"]: each["value"] for each in after["bot_provider_up"]} == {
        "wechat": "1.0",
        "qq": "1.0",
        "face": "1.0",
    }
    for name in ("bot_turn_seconds_count", "storage_commit_seconds_count"):
        assert float(before[name][0]["value"]) < float(after[name][0]["value"])
    sent = {each["method"]: float(each["value"]) for each in after["bot_call_seconds_count"]}
    assert sent["sendMessage"] >= 1
    assert float(after["bot_last_update_age_seconds"][0]["value"]) >= 0


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-alerts.yml"])
def test_the_guide_leads_to_both_files(name: str) -> None:
    assert f"deploy/{name}" in GUIDE


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    rules = alerts()

    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert all(set(rule["annotations"]) == {"summary", "action"} for rule in rules)
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}


def test_no_panel_lies_on_another() -> None:
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_the_picture_in_the_guide_shows_every_panel_of_the_dashboard_with_values() -> None:
    picture = ET.fromstring(PICTURE.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    drawn = picture.findall("{*}g")

    assert "(../pictures/dashboard.svg)" in GUIDE
    assert [(panel.get("data-title"), panel.get("data-expr")) for panel in drawn] == [
        (panel["title"], " ; ".join(target["expr"] for target in panel["targets"])) for panel in panels()
    ]
    assert [panel.get("data-title") for panel in drawn if not panel.findall("*[@class='value']")] == []


def test_a_panel_is_drawn_with_what_prometheus_would_compute() -> None:
    scrapes = [
        Scrape.read(
            at,
            f'calls_total{{outcome="done",method="a"}} {at}\ncalls_total{{outcome="done",method="b"}} {at}\n'
            f'# TYPE took histogram\ntook_bucket{{le="1"}} {at}\ntook_bucket{{le="3"}} {2 * at}\n'
            f'took_bucket{{le="+Inf"}} {2 * at}\ntook_sum 1\n'
            f'took_count {2 * at}\nup{{part="store"}} 1\nup{{part="x"}} 0\n',
        )
        for at in (0.0, 10.0, 20.0)
    ]
    done, rate = frozenset({("outcome", "done")}), "rate(calls_total[$__rate_interval])"

    assert evaluate(f"sum by (outcome) ({rate})", scrapes) == {done: 2.0}
    assert evaluate("sum(increase(calls_total[24h]))", scrapes) == {frozenset(): 40.0}
    assert evaluate("histogram_quantile(0.75, sum by (le) (rate(took_bucket[1m])))", scrapes) == {frozenset(): 2.0}
    assert evaluate("min(up)", scrapes) == {frozenset(): 0.0}
    assert evaluate('up{part="store"}', scrapes) == {frozenset({("part", "store")}): 1.0}
    with pytest.raises(ValueError, match="not known"):
        evaluate("up / 2", scrapes)
