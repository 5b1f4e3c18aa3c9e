"""The desk's attempts, questions and audit log: what support needs, without names."""

from datetime import timedelta

import pytest

from tests.fakes import make_identity
from tests.web.desk_fixture import DeskFixture
from verification import AttemptStatus, Method, Reason
from verification.ids import Account, Actor
from verification.support.store import AuditEntry

ACCOUNT = Account("100012345")
MASKED = "10*****45"
SCRIPT = "<script>alert(1)</script>"


async def test_attempts_are_listed_newest_first_and_masked(desk: DeskFixture) -> None:
    await desk.attempt("2a1b2c3d4e5f", ACCOUNT, status=AttemptStatus.FAILED, reason=Reason.NO_CARD, method=Method.QQ)
    await desk.attempt("1a1b2c3d4e5f", "100054321", created_at=desk.clock() + timedelta(minutes=1))
    async with desk.signed_in() as anna:
        page = (await anna.get("/desk/attempts")).text

    assert page.index("1A1B-2C3D") < page.index("2A1B-2C3D")
    assert "QQ 未绑定银行卡" in page
    assert MASKED in page
    assert ACCOUNT not in page


async def test_a_long_list_of_attempts_has_pages(desk: DeskFixture) -> None:
    for number in range(23):
        await desk.attempt(f"{number:08x}eeee", f"1000{number:05}")
    async with desk.signed_in() as anna:
        pages = [await anna.get(f"/desk/attempts?page={page}") for page in (1, 2, 3)]

    assert [page.text.count('class="act"') for page in pages] == [20, 3, 0]


@pytest.mark.parametrize("sought", ["0A1B-2C3D", "0a1b2c3d", " #0a1b 2c3d "])
async def test_an_attempt_is_found_by_the_code_that_its_person_reads_out(desk: DeskFixture, sought: str) -> None:
    await desk.attempt(status=AttemptStatus.FAILED, reason=Reason.MISMATCH)
    known = make_identity()
    async with desk.signed_in() as anna:
        page = await anna.fill("/desk/attempts", sought=sought)
        same = await anna.get("/desk/attempts/0A1B-2C3D")

    for shown in (page.text, same.text):
        assert "认证 0A1B-2C3D" in shown
        assert known.name.masked in shown
        assert known.number.masked in shown
        assert known.name.plain not in shown
        assert known.number.plain not in shown
        assert "telegram:10*****21" in shown
        assert "请在聊天里核对姓名和身份证号" in shown


async def test_deleted_data_is_shown_as_deleted(desk: DeskFixture) -> None:
    await desk.attempt(status=AttemptStatus.SUCCEEDED, identity=None)
    async with desk.signed_in() as anna:
        page = await anna.get("/desk/attempts/0A1B-2C3D")

    assert page.text.count("已删除") == 2


async def test_attempts_with_one_code_are_shown_together(desk: DeskFixture) -> None:
    await desk.attempt("0a1b2c3d0000", ACCOUNT)
    await desk.attempt("0a1b2c3d1111", "100054321")
    async with desk.signed_in() as anna:
        page = await anna.get("/desk/attempts/0A1B-2C3D")

    assert "有 2 次认证的编号相同" in page.text


async def test_a_dispute_is_found_by_its_case_number_also_where_no_attempt_was_made(desk: DeskFixture) -> None:
    await desk.attempt("0a1b2c3d0000", ACCOUNT)
    await desk.dispute("0a1b2c3d0000", Method.QQ)
    await desk.dispute("ffff00001111", None)
    async with desk.signed_in() as anna:
        of_attempt = await anna.get("/desk/attempts/0A1B-2C3D")
        of_quota = await anna.fill("/desk/attempts", sought="ffff 0000")

    assert "客户对结果有异议" in of_attempt.text
    assert "QQ" in of_attempt.text
    assert "认证 FFFF-0000" in of_quota.text
    assert "这个身份证号已认证 3 个账号" in of_quota.text


async def test_attempts_of_an_account_are_found_even_when_it_looks_like_a_code(desk: DeskFixture) -> None:
    await desk.attempt("1111111122223333", "10001234")
    async with desk.signed_in() as anna:
        page = await anna.fill("/desk/attempts", sought="10001234")
        none = await anna.fill("/desk/attempts", sought=SCRIPT)
        empty = await anna.fill("/desk/attempts", sought=" ")

    assert page.text.count('class="act"') == 1
    assert "10001234" not in f"{page.text}{page.url}"
    assert "没有找到" in none.text
    assert SCRIPT not in none.text
    assert empty.url.path == "/desk/attempts"


@pytest.mark.parametrize("code", ["0A1B-2C3E", "nonsense", "%3Cb%3E", "0" * 500])
async def test_an_unknown_code_is_not_found(desk: DeskFixture, code: str) -> None:
    await desk.attempt()
    async with desk.signed_in() as anna:
        page = await anna.get(f"/desk/attempts/{code}")

    assert page.status_code == 404
    assert "没有这次认证" in page.text
    assert "<b>" not in page.text.partition("<main>")[2]


async def test_questions_are_shown_by_topic_and_unanswered_ones_in_full(desk: DeskFixture) -> None:
    await desk.questions("icp", 3)
    await desk.questions("gone_topic", 1)
    await desk.questions("", 2, f"可以用护照吗 {SCRIPT}")
    async with desk.signed_in() as anna:
        page = (await anna.get("/desk/questions")).text
        english = (await anna.get("/desk/questions?lang=en")).text
        before = (await anna.get("/desk/questions?period=2026-10&lang=zh")).text

    assert page.index("备案主体名称") < page.index("gone_topic")
    assert "Filing and names" in english
    assert "67%" in page
    assert "可以用护照吗 &lt;script&gt;" in page
    assert SCRIPT not in page
    assert "这段时间没有人提问" in before


async def test_without_questions_the_page_says_so(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        page = (await anna.get("/desk/questions")).text

    assert "这段时间没有人提问" in page
    assert "还没有。" in page


async def test_audit_entries_show_actor_and_action_and_include_this_view(desk: DeskFixture) -> None:
    await desk.link(ACCOUNT)
    async with desk.store.support_unit(
        AuditEntry(actor=Actor(SCRIPT), action="an old thing", subject=SCRIPT, at=desk.clock())
    ):
        pass
    async with desk.signed_in() as anna:
        page = (await anna.get("/desk/uses")).text

    assert "新建链接" in page
    assert "telegram:10*****21" in page
    assert "desk:anna" in page
    assert "an old thing" in page
    assert "&lt;script&gt;" in page
    assert SCRIPT not in page
    assert ACCOUNT not in page


async def test_older_audit_entries_are_on_later_pages(desk: DeskFixture) -> None:
    for number in range(60):
        await desk.support.attempt(Actor("api:1"), f"{number:08x}")
    async with desk.signed_in() as anna:
        first, second = [(await anna.get(f"/desk/uses?page={page}")).text for page in (1, 2)]

    assert first.count("<tr>") == 51
    assert "更早" in first
    assert "更早" not in second


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["", "/links", "/links/new", "/attempts", "/questions", "/uses", "?by=day"])
async def test_every_page_works_in_both_languages_without_data(desk: DeskFixture, language: str, path: str) -> None:
    async with desk.signed_in(language=language) as anna:
        page = await anna.get(f"/desk{path}")

    assert page.status_code == 200
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in page.text
    assert "模拟页面" in page.text or "Simulation" in page.text
