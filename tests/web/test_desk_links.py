"""The desk's links: created once per form, listed, printed, revoked, and never shown unmasked."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from tests.fakes import NOON, make_identity
from tests.open_unit import open_unit
from tests.reliability import Proof
from tests.web.desk_fixture import URL, DeskFixture
from verification import AttemptStatus, Method
from verification.ids import Account, Actor, PersonId
from verification.invitations import Link, LinkState

ACCOUNT = Account("100012345")
MASKED = "10*****45"
HOSTILE = (
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}",
    "'; DROP TABLE links; --",
    "../../etc",
    "100012345\r\nX: y",
    "王",
)


async def links_of(desk: DeskFixture) -> list[Link]:
    return list(await desk.support.links(Actor("test"), limit=500))


async def test_a_link_is_made_by_a_form_and_shown_with_its_code(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        answer = await anna.fill(
            "/desk/links/new", account=ACCOUNT, campaign="spring", ttl="7d", method="face", language="en"
        )
    [link] = await links_of(desk)

    assert (link.account, link.campaign, link.made_by) == (ACCOUNT, "spring", "desk:anna")
    assert (link.method, link.language, link.expires_at) == (Method.FACE, "en", NOON + timedelta(days=7))
    assert answer.url.path == f"/desk/links/{link.id}"
    assert URL.findall(answer.text) == [f"https://t.me/realname_bot?start={desk.support.link_token(link.id)}"]
    assert "<svg" in answer.text
    assert MASKED in answer.text
    assert ACCOUNT not in answer.text


async def test_sending_a_form_twice_makes_one_link_and_other_values_make_another(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        form = {"proof": await anna.proof(), "fresh": "shown-once", "account": ACCOUNT}
        first, again = [await anna.post("/desk/links/new", data=form) for _ in range(2)]
        other = await anna.post("/desk/links/new", data=form | {"account": "100054321"})

    assert first.url == again.url != other.url
    assert len(await links_of(desk)) == 2


async def test_a_form_offers_the_methods_that_are_on_and_says_so_of_one_that_is_off(desk: DeskFixture) -> None:
    desk.support.methods = (Method.WECHAT, Method.FACE)
    async with desk.signed_in() as anna:
        form = await anna.get("/desk/links/new")
        answer = await anna.fill("/desk/links/new", account=ACCOUNT, method="qq")

    assert 'value="face"' in form.text
    assert 'value="qq"' not in form.text
    assert (answer.status_code, await links_of(desk)) == (422, [])
    assert "这种方式现在没有提供" in answer.text


async def test_without_a_lifetime_a_link_gets_the_default(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        form = await anna.get("/desk/links/new")
        await anna.fill("/desk/links/new", account=f"  {ACCOUNT} ", ttl="99y", method="magic", language="xx")
    [link] = await links_of(desk)

    assert "默认，30 分钟" in form.text
    assert (link.account, link.expires_at) == (ACCOUNT, NOON + timedelta(minutes=30))
    assert (link.method, link.language, link.campaign) == (None, None, "")


@pytest.mark.parametrize("account", ["", " ", "telegram:100054321", "x" * 65, "a b", *HOSTILE])
async def test_an_invalid_account_shows_the_form_again_with_the_typed_values(desk: DeskFixture, account: str) -> None:
    async with desk.signed_in() as anna:
        answer = await anna.fill("/desk/links/new", account=account, campaign="spring")

    assert answer.status_code == 422
    assert "账号应为" in answer.text
    assert 'value="spring"' in answer.text
    assert "<script" not in answer.text
    assert ">49<" not in answer.text
    assert await links_of(desk) == []


@pytest.mark.parametrize("campaign", ["-x", "a b", "x" * 33, *HOSTILE])
async def test_an_invalid_campaign_shows_the_form_again(desk: DeskFixture, campaign: str) -> None:
    async with desk.signed_in() as anna:
        answer = await anna.fill("/desk/links/new", account=ACCOUNT, campaign=campaign)

    assert answer.status_code == 422
    assert "活动名称应为" in answer.text
    assert "<script" not in answer.text
    assert await links_of(desk) == []


async def test_a_form_without_its_fields_is_shown_again(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        answer = await anna.post("/desk/links/new", data={"proof": await anna.proof()})

    assert answer.status_code == 422


async def test_links_are_listed_masked_and_filtered_by_state_and_campaign(desk: DeskFixture) -> None:
    await desk.link(ACCOUNT, campaign="spring")
    revoked = await desk.link("100054321", campaign="autumn")
    await desk.support.revoke(Actor("test"), revoked.id)
    async with desk.signed_in() as anna:
        every = await anna.get("/desk/links")
        waiting = await anna.get("/desk/links?state=waiting")
        autumn = await anna.get("/desk/links?campaign=autumn")
        neither = await anna.get("/desk/links?state=opened")
        strange = await anna.get("/desk/links?state=odd&campaign=%22%3E%3Cscript%3E&page=-1")

    assert [MASKED in page.text for page in (every, waiting, autumn, strange)] == [True, True, False, True]
    assert ["10*****21</td>" in page.text for page in (every, waiting, autumn)] == [True, False, True]
    assert "没有符合条件的链接" in neither.text
    assert ACCOUNT not in every.text + waiting.text
    assert "<script" not in strange.text


async def test_a_link_made_in_the_chat_shows_its_maker_masked(desk: DeskFixture) -> None:
    link = await desk.link()
    async with desk.signed_in() as anna:
        pages = [await anna.get("/desk/links"), await anna.get(f"/desk/links/{link.id}")]

    for page in pages:
        assert "telegram:10*****21" in page.text
        assert "telegram:100054321" not in page.text


async def test_a_long_list_has_pages(desk: DeskFixture) -> None:
    for number in range(45):
        await desk.link(f"1000{number:05}", campaign="spring")
    async with desk.signed_in() as anna:
        pages = [await anna.get(f"/desk/links?campaign=spring&page={page}") for page in (1, 2, 3, 4, 99_999)]

    assert [page.text.count('class="act"') for page in pages] == [20, 20, 5, 0, 0]
    assert ['rel="next"' in page.text for page in pages] == [True, True, False, False, False]
    assert 'href="?state=&amp;campaign=spring&amp;page=2"' in pages[0].text


async def test_links_of_an_account_are_found_without_the_account_in_an_address(desk: DeskFixture) -> None:
    await desk.link(ACCOUNT)
    await desk.link("100054321")
    async with desk.signed_in() as anna:
        page_found = await anna.fill("/desk/links", account=f" {ACCOUNT} ")
        result = await anna.fill("/desk/links", account="<b>nobody</b>")
        empty = await anna.fill("/desk/links", account=" ")

    assert page_found.text.count('class="act"') == 1
    assert ACCOUNT not in f"{page_found.text}{page_found.url}"
    assert "没有符合条件的链接" in result.text
    assert "<b>" not in result.text.partition("<main>")[2]
    assert empty.text.count('class="act"') == 2


async def test_the_page_of_a_link_shows_the_attempts_of_its_account(desk: DeskFixture) -> None:
    link = await desk.link(ACCOUNT)
    async with open_unit(desk.store, "open") as unit:
        await unit.open_link(link.id, PersonId("telegram:100054321"), desk.clock())
    await desk.attempt(account=ACCOUNT, status=AttemptStatus.OPENED)
    async with desk.signed_in() as anna:
        page = await anna.get(f"/desk/links/{link.id}")

    assert "已打开" in page.text
    assert "telegram:10*****21" in page.text
    assert "/desk/attempts/0A1B-2C3D" in page.text
    assert "手机已打开" in page.text


async def test_a_link_to_an_account_that_is_verified_says_so(desk: DeskFixture) -> None:
    link = await desk.link(ACCOUNT)
    await desk.verify(ACCOUNT)
    async with desk.signed_in() as anna:
        waiting = await anna.get(f"/desk/links/{link.id}")
        async with open_unit(desk.store, "open") as unit:
            await unit.open_link(link.id, PersonId("telegram:100054321"), desk.clock())
        opened = await anna.get(f"/desk/links/{link.id}")

    assert "这个账号已经认证成功" in waiting.text
    assert "这个链接不再需要了" in opened.text
    assert not URL.search(opened.text)


async def test_the_sheet_and_the_files_hold_the_link(desk: DeskFixture, proof: Proof) -> None:
    link = await desk.link(ACCOUNT)
    url = f"https://t.me/realname_bot?start={desk.support.link_token(link.id)}"
    async with desk.signed_in() as anna:
        sheets = [await anna.get(f"/desk/links/{link.id}/print{paper}") for paper in ("", "?paper=a4", "?paper=a0")]
        png = await anna.get(f"/desk/links/{link.id}/qr.png")
        svg = await anna.get(f"/desk/links/{link.id}/qr.svg")
    picture = Image.open(BytesIO(png.content))

    assert [re.findall(r"assets/(a\d)\.css", sheet.text) for sheet in sheets] == [["a6"], ["a4"], ["a6"]]
    for sheet in sheets:
        assert MASKED in sheet.text
        assert "2026-11-23 20:30" in sheet.text
        assert svg.text in sheet.text
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [url]
    assert picture.width > 1000
    assert (png.headers["content-type"], svg.headers["content-type"]) == ("image/png", "image/svg+xml")
    assert png.headers["content-disposition"] == f'attachment; filename="link-{link.id}.png"'
    proof(cases=1)


@pytest.mark.parametrize("state", [LinkState.EXPIRED, LinkState.REVOKED])
async def test_an_unusable_link_is_neither_shown_nor_printed(desk: DeskFixture, state: LinkState) -> None:
    link = await desk.link(ACCOUNT)
    if state is LinkState.REVOKED:
        await desk.support.revoke(Actor("test"), link.id)
    else:
        desk.clock.advance(hours=1)
    async with desk.signed_in() as anna:
        page = await anna.get(f"/desk/links/{link.id}")
        others = [await anna.get(f"/desk/links/{link.id}/{what}") for what in ("print", "qr.png", "qr.svg", "qr.gif")]

    assert page.status_code == 200
    assert desk.support.link_token(link.id) not in page.text
    assert {other.status_code for other in others} == {404}


async def test_a_link_is_revoked_after_a_confirmation_and_never_by_a_get(desk: DeskFixture) -> None:
    link = await desk.link(ACCOUNT)
    async with desk.signed_in() as anna:
        question = await anna.get(f"/desk/links/{link.id}/revoke")
        before = await desk.support.link(Actor("test"), link.id)
        answer = await anna.fill(f"/desk/links/{link.id}/revoke")
        again = await anna.post(f"/desk/links/{link.id}/revoke", data={"proof": await anna.proof()})

    assert "撤销这个链接？" in question.text
    assert before is not None
    assert before.revoked_at is None
    assert answer.url.path == f"/desk/links/{link.id}"
    assert "已撤销" in answer.text
    assert again.status_code == 200


@pytest.mark.parametrize("link", ["0" * 16, "0" * 15, "x" * 16, "%3Cb%3E", "..%2Fnew"])
async def test_an_unknown_link_is_not_found(desk: DeskFixture, link: str) -> None:
    async with desk.signed_in() as anna:
        proof = await anna.proof()
        answers = [await anna.get(f"/desk/links/{link}{what}") for what in ("", "/print", "/qr.svg", "/revoke")]
        sent = await anna.post(f"/desk/links/{link}/revoke", data={"proof": proof})

    assert {answer.status_code for answer in (*answers, sent)} == {404}
    assert all("<b>" not in answer.text for answer in answers)


async def test_every_use_of_links_is_audited_with_masked_accounts(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        made = await anna.fill("/desk/links/new", account=ACCOUNT)
        await anna.fill("/desk/links", account=ACCOUNT)
        await anna.fill(f"{made.url.path}/revoke")
    uses = await desk.audit_log()

    assert {"link", "links", "look at link", "revoke"} <= {use.action for use in uses if use.actor == "desk:anna"}
    assert not [use for use in uses if ACCOUNT in use.subject]


async def test_no_page_of_links_shows_a_name_or_number(desk: DeskFixture) -> None:
    link = await desk.link(ACCOUNT)
    await desk.attempt(account=ACCOUNT)
    async with desk.signed_in() as anna:
        pages = [await anna.get(f"/desk/links{path}") for path in ("", f"/{link.id}", f"/{link.id}/print")]
    known = make_identity()

    assert not [page for page in pages if known.name.plain in page.text or known.number.plain in page.text]
