"""The desk's funnel: the counters, with every filter, on the page and in the CSV file."""

import csv
import re
from datetime import date, timedelta

import pytest

from tests.open_unit import open_unit
from tests.web.desk_fixture import DeskFixture
from verification import Method, Reason
from verification.support.funnel import METHOD_STEPS, STEPS, Cohort, FunnelIncrement, beijing_day
from web.desk.formatting import PageFormatter
from web.desk.forms import FunnelFilters, period_days, read_page_number, read_period, read_text, recent_months

TODAY = date(2026, 11, 23)
LANGUAGES = ("zh", "en")


def figures_of(page: str) -> dict[str, list[str]]:
    """The rows of the table, by their name."""
    lines = re.findall(r"<tr[^>]*><th scope=\"row\">([^<]+)</th>(.*?)</tr>", page, re.DOTALL)
    return {name: [re.sub(r"<small>.*?</small>|<[^>]+>", "", cell) for cell in cells_of(line)] for name, line in lines}


def cells_of(line: str) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


async def counted(desk: DeskFixture) -> None:
    """Ten people of a campaign, four of whom finish; two without a campaign, in English."""
    await desk.journeys("spring", steps=7, times=4)
    await desk.journeys("spring", steps=6, times=1)
    await desk.journeys("spring", steps=3, times=5)
    await desk.journeys(language="en", steps=2, times=2)
    async with open_unit(desk.store, "failure") as unit:
        cohort = Cohort(day=beijing_day(desk.clock()), campaign="spring", language="zh")
        await unit.add_to_funnel([FunnelIncrement(cohort, None, Method.WECHAT, Reason.MISMATCH)])


async def test_the_first_page_shows_counts_losses_durations_and_reasons(desk: DeskFixture) -> None:
    await counted(desk)
    async with desk.signed_in() as anna:
        page = await anna.get("/desk")
    figures = figures_of(page.text)

    assert {step: cells[0] for step, cells in figures.items()} == {
        "进入聊天": "12",
        "开始": "12",
        "同意": "10",
        "确认资料": "5",
        "看到二维码": "5",
        "手机打开": "5",
        "认证成功": "4",
    }
    assert figures["确认资料"][1:3] == ["42%", "50%"]
    assert figures["确认资料"][3] != "—"
    assert "确认资料，流失 50%" in page.text
    assert page.text.count('<li class="worst">') == 1
    assert "姓名或身份证号不一致" in page.text
    assert "2026-10-25 至 2026-11-23" in page.text


@pytest.mark.parametrize(
    ("query_string", "first"),
    [
        ("campaign=spring", "10"),
        ("campaign=-", "2"),
        ("language=en", "2"),
        ("campaign=spring&language=en", ""),
        ("method=wechat", "5"),
        ("method=qq", ""),
        ("period=2026-11", "12"),
        ("period=2026-10", ""),
        ("period=7", "12"),
        ("period=nonsense&campaign=a+b&language=xx&method=magic&by=moon", "12"),
        ("campaign=%22%3E%3Cscript%3E", "12"),
    ],
)
async def test_filters_select_the_journeys_shown(desk: DeskFixture, query_string: str, first: str) -> None:
    await counted(desk)
    async with desk.signed_in() as anna:
        page = await anna.get(f"/desk?{query_string}")
    figures = figures_of(page.text)

    assert next((cells[0] for cells in figures.values()), "") == first
    assert ("这段时间还没有人来过" in page.text) == (first == "")
    assert "<script" not in page.text


async def test_days_before_the_period_do_not_count(desk: DeskFixture) -> None:
    await counted(desk)
    desk.clock.advance(days=7)
    async with desk.signed_in() as anna:
        week, month = [await anna.get(f"/desk?period={period}") for period in ("7", "30")]

    assert "这段时间还没有人来过" in week.text
    assert figures_of(month.text)["进入聊天"][0] == "12"


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("campaign", {"无活动": "2", "spring": "10"}),
        ("language", {"中文": "10", "English": "2"}),
        ("method", {"微信扫码": "5"}),
        ("day", {"2026-11-23": "12"}),
    ],
)
async def test_groups_are_compared_side_by_side(desk: DeskFixture, by: str, groups: dict[str, str]) -> None:
    await counted(desk)
    async with desk.signed_in() as anna:
        page = await anna.get(f"/desk?by={by}")
    figures = figures_of(page.text)

    assert {group: cells[0] for group, cells in figures.items()} == groups
    assert {len(cells) for cells in figures.values()} == {len(METHOD_STEPS if by == "method" else STEPS) + 1}


async def test_the_csv_file_holds_the_same_numbers_in_stable_columns(desk: DeskFixture) -> None:
    await counted(desk)
    async with desk.signed_in() as anna:
        whole = await anna.get("/desk/funnel.csv")
        by = await anna.get("/desk/funnel.csv?by=campaign&campaign=spring")
    lines = lines_of(whole.text)

    assert whole.headers["content-type"].startswith("text/csv")
    assert whole.headers["content-disposition"] == 'attachment; filename="funnel-2026-10-25-2026-11-23.csv"'
    assert list(lines[0]) == [
        "group",
        "kind",
        "name",
        "count",
        "of_first",
        "of_former",
        "median_seconds",
        "p90_seconds",
    ]
    assert [(line["kind"], line["name"], line["count"]) for line in lines] == [
        *[("step", step, count) for step, count in zip(STEPS, ("12", "12", "10", "5", "5", "5", "4"), strict=True)],
        ("reason", "mismatch", "1"),
    ]
    assert (lines[3]["of_first"], lines[3]["of_former"]) == ("0.4167", "0.5")
    assert float(lines[3]["median_seconds"]) > 0
    assert {line["group"] for line in lines_of(by.text)} == {"spring"}


async def test_the_csv_file_uses_the_filters_of_the_page(desk: DeskFixture) -> None:
    await counted(desk)
    async with desk.signed_in() as anna:
        page = await anna.get("/desk?campaign=spring&by=language&period=2026-11")
        [address] = re.findall(r'href="(desk/funnel\.csv[^"]+)"', page.text)
        answer = await anna.get("/" + address.replace("&amp;", "&"))

    assert answer.headers["content-disposition"].endswith('"funnel-2026-11-01-2026-11-30.csv"')
    assert {line["group"] for line in lines_of(answer.text)} == {"zh"}


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("7", date(2026, 11, 17), TODAY),
        ("90", date(2026, 8, 26), TODAY),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_a_number_of_days_or_a_whole_month(period: str, since: date, until: date) -> None:
    assert period_days(read_period({"period": period}), TODAY) == (since, until)


@pytest.mark.parametrize("period", ["", "0", "-7", "2026-13", "2026-00", "1999-01", "２０２６-01", "7 ", "9" * 99])
def test_an_invalid_period_is_the_default(period: str) -> None:
    assert read_period({"period": period}) == "30"


def test_the_last_six_months_are_offered() -> None:
    assert recent_months(date(2026, 3, 31)) == ["2026-03", "2026-02", "2026-01", "2025-12", "2025-11", "2025-10"]


@pytest.mark.parametrize(
    ("page", "number"), [("2", 2), ("", 1), ("0", 1), ("-3", 1), ("٣", 1), ("1e3", 1), ("99999", 500), ("9" * 5000, 1)]
)
def test_a_page_number_is_always_within_bounds(page: str, number: int) -> None:
    assert read_page_number({"page": page}) == number


@pytest.mark.parametrize(
    ("typed", "sought"), [(" 100012345\n", "100012345"), ("a\0b\u200bc", "abc"), ("x" * 500, "x" * 80), ("\r\n", "")]
)
def test_a_search_text_holds_no_unprintable_characters(typed: str, sought: str) -> None:
    assert read_text({"account": typed}, "account") == sought
    assert read_text({}, "account") == ""


def test_unknown_filters_select_everybody() -> None:
    query_string = {"campaign": "<b>", "language": "xx", "method": "magic", "by": "moon", "period": "never"}

    query = FunnelFilters.read(query_string, {"zh": 1}).query(TODAY)

    assert (query.campaign, query.language, query.method, query.by) == (None, None, None, None)
    assert query.until - query.since == timedelta(days=29)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "second:0"),
        (0.4, "second:0"),
        (38.2, "second:38"),
        (60, "minute:1"),
        (130, "minute:2 second:10"),
        (3600, "hour:1"),
        (3605, "hour:1"),
        (3660.2, "hour:1 minute:1"),
        (86400 * 7, "day:7"),
        (90061, "day:1 hour:1"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, words: str) -> None:
    shown = PageFormatter(lambda key, count: f"{key.removeprefix('span.')}:{count}")

    assert shown.duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("part", "words"),
    [(None, "—"), (0, "0%"), (0.004, "0.4%"), (0.5, "50%"), (0.996, "99.6%"), (1, "100%"), (1.5, "150%")],
)
def test_a_share_is_never_rounded_to_0_or_100_percent(part: float | None, words: str) -> None:
    assert PageFormatter(str).share(part) == words
