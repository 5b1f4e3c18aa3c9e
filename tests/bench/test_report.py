from dataclasses import replace
from xml.etree import ElementTree

from bench.bots import AIOGRAM, OURS
from bench.matrix import Row
from bench.measuring import Load, Measurement
from bench.picture import draw
from bench.report import page, tables

LOAD = Load(people=50, conversations=100, network=0.0, seconds=30)
RUN = Measurement(
    conversations=100,
    calls=2400,
    calls_each=24,
    wall=10,
    cpu=4,
    load_cpu=2,
    other_cpu=1,
    steps=[0.1, 0.2, 0.3],
    results=[0.4],
    memory_after_start=50,
    memory_peak=60,
    start=1.5,
    stored=2000,
    counters={"commits": 14},
    failures=[],
    refused={},
    cut_off=False,
)
OTHER = replace(RUN, cpu=8, wall=20, steps=[0.6], counters={})


def line_of(text: str, start: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return line


def test_a_row_shows_medians() -> None:
    runs = [RUN, replace(RUN, cpu=100), replace(RUN, cpu=2)]
    text = tables({LOAD: {Row(OURS): runs}})

    assert line_of(text, "**ours** | 24.0") == (
        "| **ours** | 24.0 | 40.0 | 1.67 | 10.0 | 200 / 300 | 400 | 60 | 40% / 20% | 0 | 3 |"
    )
    assert line_of(text, "**ours** | 1,500") == "| **ours** | 1,500 | 50.0 | 2,000 | 14.0 | – |"


def test_ratios_are_those_within_each_repetition() -> None:
    ours = [RUN, replace(RUN, cpu=40), replace(RUN, cpu=4)]
    others = [OTHER, replace(OTHER, cpu=80), replace(OTHER, cpu=2)]
    text = tables({LOAD: {Row(OURS): ours, Row(AIOGRAM): others}})

    assert line_of(text, LOAD.name) == "| 50 people, 0 ms network | 0.50 | – | 2.00 | 0.50 | 2.00 |"


def test_a_row_is_marked_when_it_says_nothing() -> None:
    text = tables(
        {
            LOAD: {
                Row(OURS): [replace(RUN, load_cpu=9.5)],
                Row(AIOGRAM): [replace(RUN, failures=["start: TimeoutError"])],
                Row(AIOGRAM, all_calls=True): [replace(RUN, cut_off=True)],
            }
        }
    ).partition("## Ratios")[0]

    assert "| **ours** † |" in text
    assert f"| {AIOGRAM.name} † |" in text
    assert f"| {AIOGRAM.name}, 24 calls \\* |" in text


def test_the_page_says_whether_it_is_from_a_whole_run() -> None:
    results = {LOAD: {Row(OURS): [RUN], Row(AIOGRAM): [OTHER]}}

    assert "the medians of 3 interleaved repetitions" in page(results, repetitions=3)
    assert "which measured each row once" in page(results, repetitions=1)


def test_the_picture_has_a_bar_for_each_row_and_figure() -> None:
    picture = ElementTree.fromstring(draw(LOAD, {Row(OURS): [RUN], Row(AIOGRAM): [OTHER]}))  # noqa: S314 - our own
    bars = [each for each in picture.iter() if each.get("class", "").startswith("bar")]

    assert [bar.get("class") for bar in bars] == ["bar ours", "bar"] * 3
    assert float(bars[1].get("width", 0)) == 2 * float(bars[0].get("width", 0))
