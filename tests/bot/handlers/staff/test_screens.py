"""Links, attempts and the funnel as support staff see them."""

from collections.abc import Iterator, Set
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from telegram import InlineKeyboardMarkup

from bot.content import telegram_html
from bot.content.catalogue import LANGUAGES
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff import attempt_views, links, public_links
from bot.handlers.staff.command_parser import (
    CommandProblem,
    ListPage,
    NotUnderstood,
    StaffCommand,
    read_button_data,
)
from bot.handlers.staff.replies import StaffTexts, ToastReply
from bot.handlers.staff.service import StaffRequest, StaffService
from tests.bot.engine.runner_fixture import virtual_store
from tests.bot.engine.test_loops import in_virtual_time
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.fakes import NOON, FakeClock
from tests.simulation.disk import SimulatedDisk
from verification.attempts import AttemptId, AttemptStatus, Method, Reason
from verification.identity import mask_account
from verification.ids import Account, Actor, Contact, PersonId
from verification.invitations import Link, LinkId, LinkState
from verification.support.funnel import STEPS, DurationCount, FunnelCount, FunnelQuery, FunnelStatistics, FunnelStep
from verification.support.funnel_report import build_reports
from verification.support.service import SupportService
from verification.support.store import AttemptSummary

FAILED = AttemptSummary(
    id=AttemptId("attempt-0a1b2c3d4e5f"),
    account=Account("100012345"),
    contact=Contact("telegram:200054321"),
    method=Method.QQ,
    status=AttemptStatus.FAILED,
    reason=Reason.MISMATCH,
    created_at=NOON,
    expires_at=NOON,
    name="王*明",
    number="110105********002X",
)
in_each_language = pytest.mark.parametrize("language", LANGUAGES)
LONGEST = Account("9" * 64)
LINK = Link(
    id=LinkId("0123456789abcdef"),
    account=LONGEST,
    campaign="c" * 32,
    made_by=Actor("telegram:7"),
    made_at=NOON,
    expires_at=NOON + timedelta(hours=1),
    method=Method.WECHAT,
    language="zh",
)
ADDRESS = "https://t.me/" + "b" * 32 + "?start=" + "a" * 39
OPENED = replace(LINK, opened_at=NOON, person=PersonId("telegram:1"))
IN_EACH_STATE = {
    LinkState.WAITING: LINK,
    LinkState.OPENED: OPENED,
    LinkState.VERIFIED: replace(OPENED, verified=True),
    LinkState.EXPIRED: replace(LINK, expires_at=NOON),
    LinkState.REVOKED: replace(OPENED, revoked_at=NOON),
}
QUERY = FunnelQuery(since=date(2026, 11, 1), until=date(2026, 11, 30), campaign="c" * 32)


def labels(content: MessageContent) -> list[str]:
    rows = content.markup.inline_keyboard if isinstance(content.markup, InlineKeyboardMarkup) else ()
    return [button.text for row in rows for button in row]


def data(content: MessageContent) -> Iterator[str]:
    rows = content.markup.inline_keyboard if isinstance(content.markup, InlineKeyboardMarkup) else ()
    return (str(button.callback_data) for row in rows for button in row if button.callback_data)


def every_message(texts: StaffTexts) -> Iterator[MessageContent]:
    list_page = ListPage(9999, "c" * 32)
    yield links.render_waiting(texts, LINK, ADDRESS, verified=True)
    yield links.render_waiting(texts, LINK, ADDRESS)
    for link in IN_EACH_STATE.values():
        yield links.render_card(texts, link, NOON, list_page)
        yield links.render_revoke_question(texts, link, list_page)
    yield public_links.render_public_link(texts, "wechat", link=ADDRESS)
    yield MessageContent(attempt_views.format_funnel(texts, build_reports(full(), QUERY)[0], QUERY), None)


def full() -> FunnelStatistics:
    """A funnel that loses people at every step, for every reason."""
    counts = [FunnelCount("", step, None, None, 10**6 - 100_003 * position) for position, step in enumerate(STEPS)]
    failed = [FunnelCount("", None, Method.QQ, reason, 10_000) for reason in Reason]
    times = [DurationCount(group="", step=step, method=None, bucket=60, count=5) for step in STEPS]
    return FunnelStatistics([*counts, *failed], times)


@in_each_language
def test_every_value_has_its_text(language: str) -> None:
    families: dict[str, Set[str]] = {
        "command": set(StaffCommand) - {StaffCommand.HELP},
        "slip": {*CommandProblem, "not_understood"},
        "state": set(LinkState),
    }
    families |= {"step": set(FunnelStep), "reason": set(Reason)}
    keys = {f"staff.{family}.{word}" for family, words in families.items() for word in words}

    assert keys <= CATALOGUE.texts[language].keys()


@in_each_language
def test_inv36_everything_fits_under_a_picture_and_every_button_into_64_bytes(language: str) -> None:
    note = CATALOGUE.text(language, "misc.repeated")
    for content in every_message(StaffTexts(CATALOGUE, language)):
        assert telegram_html.telegram_length(f"{note}\n\n{content.text}") <= 1024
        assert telegram_html.find_error(content.text) is None
        assert all(len(each.encode()) <= 64 for each in data(content))


@in_each_language
def test_accounts_are_shown_only_masked(language: str) -> None:
    for content in every_message(StaffTexts(CATALOGUE, language)):
        assert LONGEST not in content.text
        assert not any(LONGEST in each for each in data(content))


@pytest.mark.parametrize("state", LinkState)
def test_a_card_offers_only_possible_actions(state: LinkState) -> None:
    texts = StaffTexts(CATALOGUE, "zh")
    offered = {LinkState.WAITING: ["📷 看二维码", "🚫 撤销"], LinkState.OPENED: ["🚫 撤销"]}
    content = links.render_card(texts, IN_EACH_STATE[state], NOON)

    assert texts.text(f"state.{state}") in content.text
    assert labels(content) == offered.get(state, [])
    assert links.can_revoke(IN_EACH_STATE[state], NOON) is (state in offered)


WHOLE = replace(OPENED, revoked_at=NOON)
LACKING_A_PART = {
    "campaign": replace(WHOLE, campaign=""),
    "method": replace(WHOLE, method=None),
    "language": replace(WHOLE, language=None),
    "opened_at": replace(WHOLE, opened_at=None),
}


@in_each_language
@pytest.mark.parametrize("lacking", LACKING_A_PART.values(), ids=LACKING_A_PART)
def test_a_card_has_a_line_for_each_part_that_its_link_has(language: str, lacking: Link) -> None:
    texts = StaffTexts(CATALOGUE, language)
    lines, fewer = (links.render_card(texts, link, NOON).text.splitlines() for link in (WHOLE, lacking))

    assert len(lines) == len(fewer) + 1
    assert set(fewer) < set(lines)


def test_a_card_s_buttons_name_the_link_and_the_list_that_they_lead_back_to() -> None:
    content = links.render_card(StaffTexts(CATALOGUE, "zh"), LINK, NOON, ListPage(2, "spring"))

    assert list(data(content)) == [
        "s:code:0123456789abcdef",
        "s:revoke:0123456789abcdef:2:spring",
        "s:list::2:spring",
    ]


@pytest.mark.parametrize("action", ["card", "revoke", "really", "code", "print"])
def test_a_button_of_a_link_that_is_gone_says_so(action: str) -> None:
    @in_virtual_time
    async def pressed(disk: SimulatedDisk) -> None:
        support = SupportService(await virtual_store(disk), FakeClock(), timedelta(hours=1))
        service = StaffService(support, CATALOGUE, FakeClock(), lambda: "realname_demo_bot")
        button = read_button_data(f"s:{action}:0123456789abcdef")
        assert button is not None

        replies = await service.answer(StaffRequest(staff_id=7, request_id="telegram:1", language="zh", action=button))

        assert replies == [ToastReply(CATALOGUE.text("zh", "staff.toast.no_link"))]

    pressed()


def test_a_line_of_the_list_ends_with_the_campaign_if_there_is_one() -> None:
    several = [LINK, replace(LINK, campaign="")]
    named, nameless = links.render_page(StaffTexts(CATALOGUE, "zh"), several, NOON, ListPage()).text.splitlines()[-2:]

    assert named.replace("1", "2", 1) == f"{nameless} · {LINK.campaign}"


@pytest.mark.parametrize(
    ("account", "is_other_chat"), [("telegram:200012345", False), ("100012345", True), ("cloud:100012345", True)]
)
def test_an_attempt_for_an_account_of_another_kind_names_its_chat(account: str, is_other_chat: bool) -> None:
    contact = Contact("telegram:200099999")
    attempt = replace(FAILED, account=Account(account), contact=contact, reason=Reason.NO_CARD, name="", number="")
    chat = CATALOGUE.text("zh", "staff.attempt.chat", {"chat": mask_account(attempt.contact)})

    assert (chat in attempt_views.format_attempt(StaffTexts(CATALOGUE, "zh"), attempt)) is is_other_chat


def test_a_page_has_buttons_to_its_neighbours_and_an_empty_list_says_how_to_begin() -> None:
    texts = StaffTexts(CATALOGUE, "zh")
    several = [replace(LINK, id=LinkId(f"{number:016x}")) for number in range(links.LINKS_A_PAGE + 1)]

    first = links.render_page(texts, several, NOON, ListPage())
    second = links.render_page(texts, several[:2], NOON, ListPage(1))

    assert labels(first) == [*"12345678", "下一页 ›"]
    assert labels(second) == ["9", "10", "‹ 上一页"]
    assert links.render_page(texts, [], NOON, ListPage()).text == texts.text("list.none")


def test_a_funnel_is_read_by_numbers_worst_step_and_reasons() -> None:
    counts = [
        FunnelCount("", step, None, None, count) for step, count in zip(STEPS, (9, 10, 8, 4, 4, 4, 3), strict=True)
    ]
    failed = [FunnelCount("", None, Method.QQ, Reason.MISMATCH, 2), FunnelCount("", None, Method.QQ, Reason.NO_CARD, 1)]
    (report,) = build_reports(FunnelStatistics([*counts, *failed], []), QUERY)

    lines = attempt_views.format_funnel(StaffTexts(CATALOGUE, "zh"), report, QUERY).splitlines()

    assert lines[3:7] == [
        "1. 进入聊天　<b>9</b>",
        "2. 开始　<b>10</b>",
        "3. 同意　<b>8</b> · −20 %",
        "4. 确认资料　<b>4</b> · −50 %",
    ]
    assert lines[-2:] == [
        "⚠️ 流失最多：同意 → 确认资料，少了 <b>50 %</b>",
        "没通过的原因：A 资料不一致 2 · B 没绑银行卡 1",
    ]


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (38.4, "38 秒", "38 s"),
        (130, "2 分 10 秒", "2 min 10 s"),
        (3 * 3600 + 60, "3 小时 1 分", "3 h 1 min"),
        (26 * 3600, "1 天 2 小时", "1 d 2 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, zh: str, en: str) -> None:
    said = [
        attempt_views.format_time(StaffTexts(CATALOGUE, language), timedelta(seconds=seconds))
        for language in ("zh", "en")
    ]

    assert said == [zh, en]


@given(st.timedeltas(timedelta(), timedelta(days=1000)))
def test_any_duration_can_be_formatted(time: timedelta) -> None:
    assert attempt_views.format_time(StaffTexts(CATALOGUE, "en"), time)


def test_a_persons_data_are_shown_only_while_they_are_stored() -> None:
    texts = StaffTexts(CATALOGUE, "zh")
    full, erased = (
        attempt_views.format_attempt(texts, FAILED),
        attempt_views.format_attempt(texts, replace(FAILED, name="", number="")),
    )

    assert all(word in full for word in ("0A1B-2C3D", "10*****45", "未通过", "资料不一致", "王*明，110105********002X"))
    assert "200054321" not in full
    assert "资料：" not in erased


@pytest.mark.parametrize(
    ("words", "link", "title"),
    [
        ("微信", "https://t.me/some_bot?start=way_wechat", "微信扫码"),
        ("EN", "https://t.me/some_bot?start=lang_en", "English"),
        ("faq", "https://t.me/some_bot?start=faq_", "常见问题"),
    ],
)
def test_a_public_link_leads_to_the_target_of_a_word(words: str, link: str, title: str) -> None:
    word = public_links.read_target(words, CATALOGUE, "zh")

    assert word is not None
    assert public_links.public_link(word, bot="some_bot") == link
    assert title in public_links.render_public_link(StaffTexts(CATALOGUE, "zh"), word, link=link).text


def test_every_topic_can_be_shared_and_nothing_else() -> None:
    topics = [entry.id for entry in CATALOGUE.faq["zh"]]

    assert [public_links.read_target(topic, CATALOGUE, "zh") for topic in topics] == topics
    assert [public_links.read_target(word, CATALOGUE, "zh") for word in ("", "no_such_topic", "faq_icp")] == [None] * 3


def test_chart_titles_are_ascii() -> None:
    assert attempt_views.chart_title(QUERY).isascii()


def meant(problem: NotUnderstood) -> list[tuple[str, str | object | None]]:
    content = links.render_not_understood(StaffTexts(CATALOGUE, "zh"), problem)
    assert problem.word in content.text
    assert content.markup is not None
    (buttons,) = zip(*content.markup.inline_keyboard, strict=True)
    return [(one.text, one.callback_data or (one.copy_text and one.copy_text.text)) for one in buttons]


def test_what_a_funnel_may_have_meant_is_shown_by_one_tap() -> None:
    assert meant(NotUnderstood("2w", StaffCommand.FUNNEL, ("14d", "#2w"))) == [
        ("/funnel 14d", "s:funnel:14d"),
        ("/funnel #2w", "s:funnel:#2w"),
    ]


def test_what_does_not_fit_a_button_or_names_an_account_is_copied() -> None:
    long = "c" * 60

    assert meant(NotUnderstood("2w", StaffCommand.FUNNEL, (long,))) == [(f"/funnel {long}", f"/funnel {long}")]
    assert meant(NotUnderstood("1:2", StaffCommand.FUNNEL, ("1:2",))) == [("/funnel 1:2", "/funnel 1:2")]
    assert meant(NotUnderstood("1w", StaffCommand.LINK, ("acc9 7d",))) == [("/link acc9 7d", "/link acc9 7d")]
