"""Signing in to the desk: with the key and a name, for twelve hours, and by no other means."""

from pathlib import Path

import httpx
import pytest

from tests.reliability import Proof
from tests.web.desk_fixture import BASE, KEY, DeskFixture, desk_fixture
from verification.ids import Actor
from web.desk.sessions import COOKIE

PAGES = (
    "/desk",
    "/desk/",
    "/desk/funnel.csv",
    "/desk/links",
    "/desk/links/new",
    "/desk/links/0123456789abcdef",
    "/desk/links/0123456789abcdef/print",
    "/desk/links/0123456789abcdef/qr.svg",
    "/desk/links/0123456789abcdef/revoke",
    "/desk/attempts",
    "/desk/attempts/0A1B-2C3D",
    "/desk/questions",
    "/desk/uses",
)
FORMS = ("/desk/links", "/desk/links/new", "/desk/links/0123456789abcdef/revoke", "/desk/attempts")
ELSEWHERE = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://example.org"})


def cookie_of(answer: httpx.Response) -> str:
    return next(step.headers["set-cookie"] for step in (*answer.history, answer) if "set-cookie" in step.headers)


async def test_without_a_configured_key_there_is_no_desk(tmp_path: Path) -> None:
    async with desk_fixture(tmp_path, key=None) as desk, desk.visitor() as visitor:
        nothing = await visitor.get("/nothing")
        answers = [await visitor.get(page) for page in (*PAGES, "/desk/sign-in")]
        sent = await visitor.sign_in()

    assert {(answer.status_code, "客服" in answer.text) for answer in (*answers, sent)} == {(404, False)}
    assert answers[0].text == nothing.text


async def test_authz_without_a_session_only_the_sign_in_page_is_shown(desk: DeskFixture, proof: Proof) -> None:
    async with desk.visitor() as visitor:
        seen = [await visitor.get(page) for page in PAGES]
        sent = [await visitor.post(form, data={"account": "100012345", "sought": "100012345"}) for form in FORMS]

    assert {answer.url.path for answer in (*seen, *sent)} == {"/desk/sign-in"}
    assert await desk.audit_log() == []
    proof(cases=len(seen) + len(sent))


async def test_the_key_and_a_name_open_the_desk_and_audit_entries_carry_the_name(desk: DeskFixture) -> None:
    async with desk.visitor() as visitor:
        answer = await visitor.sign_in("anna")

    assert (answer.status_code, answer.url.path) == (200, "/desk")
    assert "值班：anna" in answer.text
    assert {use.actor for use in await desk.audit_log()} == {"desk:anna"}


@pytest.mark.parametrize("name", ["安娜", "Zoë", "Анна", "अनीता", "䶮" * 16])
async def test_a_name_may_be_in_any_script(desk: DeskFixture, name: str) -> None:
    async with desk.visitor() as visitor:
        answer = await visitor.sign_in(name)

    assert f"值班：{name}" in answer.text
    assert {use.actor for use in await desk.audit_log()} == {f"desk:{name}"}


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], f"{KEY}0", KEY.upper(), "键" * 40, "\0"])
async def test_authz_a_wrong_key_opens_nothing(desk: DeskFixture, key: str) -> None:
    async with desk.visitor() as visitor:
        answer = await visitor.sign_in("anna", key)
        after = await visitor.get("/desk/links")

    assert answer.status_code == 403
    assert "密钥不对" in answer.text
    assert 'value="anna"' in answer.text
    assert after.url.path == "/desk/sign-in"


@pytest.mark.parametrize("name", ["", "a b", "安" * 17, "x" * 17, "desk:ben", "<b>", "a%41", "a.b"])
async def test_an_invalid_name_is_asked_for_again(desk: DeskFixture, name: str) -> None:
    async with desk.visitor() as visitor:
        answer = await visitor.sign_in(name)

    assert answer.status_code == 422
    assert "称呼请用 1 到 16 个文字或数字" in answer.text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=b&" * 100, b"key=" + b"x" * 100_000, b""])
async def test_a_body_that_is_no_form_counts_as_a_wrong_key(desk: DeskFixture, body: bytes) -> None:
    async with desk.visitor() as visitor:
        answer = await visitor.post("/desk/sign-in", content=body)

    assert answer.status_code == 403


async def test_an_address_that_tries_keys_waits_and_nobody_with_the_key_does(desk: DeskFixture) -> None:
    async with desk.visitor("203.0.113.7") as guesser, desk.visitor("198.51.100.9") as other:
        tried = [(await guesser.sign_in("anna", f"guess-{number}")).status_code for number in range(11)]
        refused = await guesser.sign_in("anna", "one-more")
        elsewhere = await other.sign_in("ben", "wrong")
        desk.seconds += int(refused.headers["retry-after"])
        later = await guesser.sign_in("anna", "wrong")
        beside = await guesser.sign_in("anna", KEY)

    assert tried == [403] * 10 + [429]
    assert refused.status_code == 429
    assert "请过一会儿再试" in refused.text
    assert elsewhere.status_code == later.status_code == 403
    assert beside.status_code == 200
    assert desk.registry.get_sample_value("web_desk_wrong_keys_total") == 14


async def test_the_cookie_is_hidden_from_scripts_other_sites_and_other_paths(desk: DeskFixture) -> None:
    async with desk.visitor() as visitor:
        cookie = cookie_of(await visitor.sign_in())

    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age=43200" in cookie
    assert "Path" not in cookie
    assert "Secure" not in cookie
    assert KEY not in cookie


async def test_with_https_the_cookie_is_secure(desk: DeskFixture, tmp_path: Path) -> None:
    folder = tmp_path / "public"
    folder.mkdir()
    async with desk_fixture(folder, public="https://verify.example.org") as public, public.visitor() as visitor:
        cookie = cookie_of(await visitor.sign_in())
    async with desk.visitor(base="https://verify.example.org") as visitor:
        come = cookie_of(await visitor.sign_in())

    assert "Secure" in cookie
    assert "Secure" in come


async def test_a_session_ends_after_twelve_hours(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        desk.clock.advance(hours=11, minutes=59)
        before = await anna.get("/desk/links")
        desk.clock.advance(minutes=1)
        after = await anna.get("/desk/links")

    assert (before.url.path, after.url.path) == ("/desk/links", "/desk/sign-in")


async def test_authz_another_key_ends_every_session(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        cookie = anna.cookies["desk"]
    changed = DeskFixture(desk.store, "another-key-of-the-desk-0123")
    async with changed.visitor() as visitor:
        visitor.cookies.set("desk", cookie)
        answer = await visitor.get("/desk/links")

    assert answer.url.path == "/desk/sign-in"


async def test_authz_a_forged_cookie_opens_nothing(desk: DeskFixture, proof: Proof) -> None:
    async with desk.signed_in() as anna:
        name, until, signature = anna.cookies["desk"].split(".")
    forged = [
        f"ben.{until}.{signature}",
        f"{name}.{int(until) + 1}.{signature}",
        f"{name}.{until}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'E'}",
        f"{name}.{until}.{'A' * 43}",
        f"{name}.{until}.",
        f"{name}.{until}",
        f"{name}.{until}.{signature}.x",
        f"{name}.{'9' * 400}.{signature}",
        "",
        "x" * 4000,
    ]
    answers = []
    for cookie in forged:
        async with desk.visitor() as visitor:
            answers.append(await visitor.get("/desk/links", headers={"Cookie": f"desk={cookie}"}))

    assert {answer.url.path for answer in answers} == {"/desk/sign-in"}
    proof(cases=len(forged))


async def test_signing_out_deletes_the_cookie(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        out = await anna.post("/desk/sign-out")
        after = await anna.get("/desk/links")

    assert out.url.path == after.url.path == "/desk/sign-in"


async def test_the_sign_in_page_redirects_a_signed_in_browser(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        answer = await anna.get("/desk/sign-in")

    assert answer.url.path == "/desk"


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_authz_no_other_site_can_sign_in_or_out(desk: DeskFixture, headers: dict[str, str]) -> None:
    async with desk.visitor() as visitor:
        entered = await visitor.sign_in(**headers)
    async with desk.signed_in() as anna:
        await anna.post("/desk/sign-out", headers=headers)
        after = await anna.get("/desk/links")

    assert entered.status_code == 403
    assert "不是从本页发出的" in entered.text
    assert after.url.path == "/desk/links"


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_authz_a_form_of_another_site_changes_nothing(desk: DeskFixture, headers: dict[str, str]) -> None:
    link = await desk.link()
    async with desk.signed_in() as anna:
        answer = await anna.fill(f"/desk/links/{link.id}/revoke", headers=headers)
        stored = await desk.support.link(Actor("test"), link.id)

    assert answer.status_code == 403
    assert stored is not None
    assert stored.revoked_at is None


@pytest.mark.parametrize("proof_given", ["", "x", "of ben"])
async def test_authz_a_form_without_its_session_proof_changes_nothing(desk: DeskFixture, proof_given: str) -> None:
    link = await desk.link()
    async with desk.signed_in("ben") as ben:
        of_ben = await ben.proof()
    async with desk.signed_in("anna") as anna:
        proof_sent = of_ben if proof_given == "of ben" else proof_given
        answer = await anna.post(f"/desk/links/{link.id}/revoke", data={"proof": proof_sent})
        too_long = await anna.post(f"/desk/links/{link.id}/revoke", data={"proof": "x" * 20_000})
        stored = await desk.support.link(Actor("test"), link.id)

    assert answer.status_code == 403
    assert "没有执行" in answer.text
    assert too_long.status_code == 413
    assert stored is not None
    assert stored.revoked_at is None


async def test_every_answer_of_the_desk_is_kept_out_of_frames_caches_and_search_engines(desk: DeskFixture) -> None:
    link = await desk.link()
    async with desk.visitor() as visitor:
        outside = [await visitor.get("/desk/sign-in"), await visitor.sign_in("anna", "wrong")]
    async with desk.signed_in() as anna:
        inside = [await anna.get(page.replace("0123456789abcdef", link.id)) for page in PAGES]

    for answer in (*outside, *inside):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert policy.startswith("default-src 'none'")
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert KEY not in answer.text


async def test_every_page_works_behind_a_proxy_prefix(desk: DeskFixture) -> None:
    async with desk.visitor() as visitor:
        answer = await visitor.get("/desk/links", follow_redirects=False)
        entered = await visitor.post("/desk/sign-in", data={"name": "anna", "key": KEY}, follow_redirects=False)

    assert answer.headers["location"] == "../desk/sign-in"
    assert entered.headers["location"] == "../desk"


async def test_a_chosen_language_is_remembered(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        before = await anna.get("/desk/links?state=waiting")
        await anna.get("/desk/links?state=waiting&lang=en")
        after = await anna.get("/desk/uses")
        strange = await anna.get("/desk/uses?lang=xx")

    assert 'href="?state=waiting&amp;lang=en"' in before.text
    assert "Sign out" in after.text
    assert "Sign out" in strange.text


async def test_a_head_request_gets_no_body_and_changes_nothing(desk: DeskFixture) -> None:
    async with desk.signed_in() as anna:
        answer = await anna.head("/desk/links/new")

    assert (answer.status_code, answer.text) == (200, "")
    assert str(answer.url) == f"{BASE}/desk/links/new"


async def test_after_signing_out_a_copy_of_the_cookie_opens_nothing_and_other_sessions_stay(desk: DeskFixture) -> None:
    async with desk.signed_in("anna") as anna, desk.signed_in("ben") as ben, desk.visitor() as thief:
        stolen = anna.cookies[COOKIE]
        await anna.post("/desk/sign-out")
        await anna.post("/desk/sign-out")
        thief.cookies.set(COOKIE, stolen)
        refused, served = await thief.get("/desk/links"), await ben.get("/desk/links")

    assert refused.url.path == "/desk/sign-in"
    assert served.url.path == "/desk/links"
