"""The parsing of what support staff type and button."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.handlers.staff.command_parser import (
    ButtonAction,
    ButtonData,
    CommandProblem,
    LinkArguments,
    ListPage,
    NotUnderstood,
    StaffCommand,
    read_button_data,
    read_funnel,
    read_link,
    read_links,
)
from verification.attempts import Method
from verification.ids import Account
from verification.support.funnel import FunnelQuery

TODAY = date(2026, 11, 23)
LINK = "0123456789abcdef"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("100012345", LinkArguments(account=Account("100012345"))),
        (" １０００１２３４５ ", LinkArguments(account=Account("100012345"))),
        ("100012345 spring", LinkArguments(account=Account("100012345"), campaign="spring")),
        ("100012345 30m", LinkArguments(account=Account("100012345"), ttl=timedelta(minutes=30))),
        ("100012345 2小时", LinkArguments(account=Account("100012345"), ttl=timedelta(hours=2))),
        (
            "100012345 en WeChat 7d spring",
            LinkArguments(
                account=Account("100012345"),
                campaign="spring",
                ttl=timedelta(days=7),
                method=Method.WECHAT,
                language="en",
            ),
        ),
        ("100012345 中文 人脸", LinkArguments(account=Account("100012345"), method=Method.FACE, language="zh")),
        ("", CommandProblem.NO_ACCOUNT),
        ("王小明", CommandProblem.ACCOUNT),
        ("telegram:100012345", CommandProblem.ACCOUNT),
        ("1" * 65, CommandProblem.ACCOUNT),
        ("100012345 春天", CommandProblem.CAMPAIGN),
        ("100012345 spring autumn", CommandProblem.WORD),
        ("100012345 qq wechat", CommandProblem.WORD),
        ("100012345 zh en", CommandProblem.WORD),
        ("100012345 0m", CommandProblem.WAIT),
        ("100012345 31d", CommandProblem.WAIT),
    ],
)
def test_a_link_takes_an_account_and_options_in_any_order(words: str, expected: LinkArguments | CommandProblem) -> None:
    assert read_link(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("wechat 微信", LinkArguments(account=Account("acc9"), method=Method.WECHAT)),
        ("qq QQ", LinkArguments(account=Account("acc9"), method=Method.QQ)),
        ("face 人脸", LinkArguments(account=Account("acc9"), method=Method.FACE)),
        ("zh 中文", LinkArguments(account=Account("acc9"), language="zh")),
        ("en 英文 English", LinkArguments(account=Account("acc9"), language="en")),
    ],
)
def test_each_word_for_a_method_and_for_a_language_is_known(words: str, expected: LinkArguments) -> None:
    assert [read_link(f"acc9 {word}") for word in words.split()] == [expected] * len(words.split())


@pytest.mark.parametrize(
    ("units", "minutes", "days"),
    [
        ("s sec secs second seconds 秒", 1, 1),
        ("m min mins minute minutes 分 分钟", 2, 1),
        ("h hr hrs hour hours 小时", 120, 1),
        ("d day days 天 日", 2880, 2),
        ("w week weeks 周 星期", 14 * 1440, 14),
        ("mo month months 个月", 30 * 1440, 60),
        ("y year years 年", 30 * 1440, 365),
    ],
)
def test_each_unit_of_time_is_read_or_leads_to_words_that_are(units: str, minutes: int, days: int) -> None:
    for unit in units.split():
        link, funnel = read_link(f"acc9 2{unit}"), read_funnel(f"2{unit}", TODAY)
        if isinstance(link, NotUnderstood):
            link = read_link(link.meanings[0])
        if isinstance(funnel, NotUnderstood):
            funnel = read_funnel(funnel.meanings[0], TODAY)

        assert link == LinkArguments(account=Account("acc9"), ttl=timedelta(minutes=minutes))
        assert funnel == FunnelQuery(since=TODAY - timedelta(days=days - 1), until=TODAY)


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("yesterday 昨天 昨日", "2d"),
        ("前天", "3d"),
        ("week 本周 这周", "7d"),
        ("上周", "14d"),
        ("month 本月", "30d"),
        ("上月 上个月", "60d"),
        ("year 今年 去年", "365d"),
    ],
)
def test_each_word_for_some_days_leads_to_their_number(words: str, days: str) -> None:
    found = [read_funnel(word, TODAY) for word in words.split()]

    assert [each.meanings[0] for each in found if isinstance(each, NotUnderstood)] == [days] * len(found)


@pytest.mark.parametrize(
    ("words", "since", "until", "campaign"),
    [
        ("", date(2026, 11, 17), TODAY, None),
        ("today", TODAY, TODAY, None),
        ("今天 spring", TODAY, TODAY, "spring"),
        ("spring 30d", date(2026, 10, 25), TODAY, "spring"),
        ("30天", date(2026, 10, 25), TODAY, None),
        ("0d", TODAY, TODAY, None),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30), None),
        ("2024-2", date(2024, 2, 1), date(2024, 2, 29), None),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31), None),
        ("2026-11-23", TODAY, TODAY, None),
    ],
)
def test_a_funnel_takes_a_campaign_and_a_period(words: str, since: date, until: date, campaign: str | None) -> None:
    assert read_funnel(words, TODAY) == FunnelQuery(since=since, until=until, campaign=campaign)


@pytest.mark.parametrize("words", ["spring autumn", "2026-13", "2026-02-30", "0000-01", "春天"])
def test_an_impossible_period_is_refused(words: str) -> None:
    assert read_funnel(words, TODAY) is CommandProblem.PERIOD


@pytest.mark.parametrize(
    ("words", "word", "meanings"),
    [
        ("1000d", "1000d", ("365d", "#1000d")),
        ("spring 1y", "1y", ("spring 365d",)),
        ("2w spring", "2w", ("14d spring",)),
        ("3个月", "3个月", ("90d",)),
        ("12h", "12h", ("1d", "#12h")),
        ("30", "30", ("30d", "#30")),
        ("1.5d", "1.5d", ("2d",)),
        ("2026", "2026", ("2026-11", "#2026")),
        ("2031", "2031", ("2026-11", "#2031")),
        ("20260315", "20260315", ("2026-03", "#20260315")),
        ("2026/3", "2026/3", ("2026-03",)),
        ("26-0", "26-0", ("2026-01", "#26-0")),
        ("3月", "3月", ("2026-03",)),
        ("yesterday", "yesterday", ("2d", "#yesterday")),
        ("上周", "上周", ("14d",)),
        ("7d 30d", "30d", ("7d",)),
        ("spring 2026-10 today", "today", ("spring 2026-10",)),
    ],
)
def test_what_a_funnel_does_not_understand_becomes_neither_campaign_nor_figure(
    words: str, word: str, meanings: tuple[str, ...]
) -> None:
    assert read_funnel(words, TODAY) == NotUnderstood(word, StaffCommand.FUNNEL, meanings)


@pytest.mark.parametrize(
    ("words", "word", "meanings"),
    [
        ("acc9 1w", "1w", ("acc9 7d", "acc9 #1w")),
        ("acc9 spring 2y", "2y", ("acc9 spring 30d",)),
        ("acc9 90秒", "90秒", ("acc9 2m",)),
        ("acc9 90", "90", ("acc9 1h", "acc9 #90")),
        ("acc9 2026 qq", "2026", ("acc9 1d qq", "acc9 #2026 qq")),
        ("acc9 2026-11-30", "2026-11-30", ("acc9 30d", "acc9 #2026-11-30")),
        ("acc9 2h 3h", "3h", ("acc9 2h",)),
    ],
)
def test_what_a_link_does_not_understand_becomes_no_campaign(words: str, word: str, meanings: tuple[str, ...]) -> None:
    assert read_link(words) == NotUnderstood(word, StaffCommand.LINK, meanings)


def test_every_meaning_that_is_offered_is_understood() -> None:
    for words in ("1000d", "spring 1y", "2w spring", "30", "2026", "2026/3", "3月", "yesterday", "7d 30d"):
        problem = read_funnel(words, TODAY)
        assert isinstance(problem, NotUnderstood)
        assert all(isinstance(read_funnel(each, TODAY), FunnelQuery) for each in problem.meanings)
    for words in ("acc9 1w", "acc9 2y", "acc9 90", "acc9 2026", "acc9 2h 3h"):
        wish = read_link(words)
        assert isinstance(wish, NotUnderstood)
        assert all(isinstance(read_link(each), LinkArguments) for each in wish.meanings)


@given(st.text(max_size=60))
def test_any_text_can_be_parsed(words: str) -> None:
    read_link(words)
    read_links(words)
    read_funnel(words, TODAY)
    read_button_data(words)
    read_button_data(f"s:{words}")


all_buttons = st.one_of(
    st.builds(
        lambda list_page: ButtonData(ButtonAction.LIST, "", list_page),
        st.builds(ListPage, st.integers(0, 9999), st.just("a" * 32)),
    ),
    st.builds(
        ButtonData,
        st.sampled_from(
            [ButtonAction.CARD, ButtonAction.CODE, ButtonAction.PRINT, ButtonAction.REVOKE, ButtonAction.CONFIRM_REVOKE]
        ),
        st.just(LINK),
        st.none() | st.builds(ListPage, st.integers(0, 9999), st.none() | st.just("a" * 32)),
    ),
    st.just(ButtonData(ButtonAction.POSTER, "wechat")),
    st.just(ButtonData(ButtonAction.FUNNEL, "spring 365d")),
)


@given(all_buttons)
def test_every_button_survives_its_callback_data_and_fits(button: ButtonData) -> None:
    assert read_button_data(button.callback_data) == button
    assert len(button.callback_data.encode()) <= 64


@pytest.mark.parametrize(
    "data",
    [
        "",
        "s",
        "s:",
        "s::",
        "s:list:",
        "s:list::x:",
        "s:list::99999:",
        "s:list::0:a b",
        f"s:list:{LINK}:0:",
        "s:card:",
        "s:card:0123456789abcdeF",
        f"s:card:{LINK}:",
        f"s:card:{LINK}:0:a:b",
        f"s:no_such_verb:{LINK}",
        "s:poster:wechat:0:",
        "s:funnel:365d:0:",
        f"q:card:{LINK}",
    ],
)
def test_inv10_foreign_callback_data_is_ignored(data: str) -> None:
    assert read_button_data(data) is None
