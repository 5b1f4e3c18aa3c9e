"""Tencent FaceID as a provider, against a strict server: flows, retries, foreign passes, faults, and what is logged."""

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from msgspec.structs import replace

from bot.http_client import http_client
from tests.faceid_server import (
    RULE_ID,
    SECRET_ID,
    SECRET_KEY,
    FaceIdFault,
    FaceIdServer,
    Unfinished,
    faceid_server,
)
from tests.fakes import NUMBER, OTHER_NUMBER, FakeClock, make_attempt, make_identity
from tests.provider_server import nobody
from tests.verification.providers.pair import BACK, answering
from tests.verification.providers.pair import Pair as OpenedPair
from verification.attempts import AttemptId, AttemptStatus, Method, Passed, ProviderApp, Reason, Rejected
from verification.errors import AttemptNotServed, ProviderMisconfigured, ProviderUnavailable
from verification.ports import PollableProvider, ProviderAnswer
from verification.providers.counts import ProviderCounts
from verification.providers.http import HttpCall, TransientFailure
from verification.providers.tencent.client import FaceIdAccount, FaceIdClient
from verification.providers.tencent.provider import TencentFaceProvider
from verification.providers.tencent.signer import Credentials

A1 = AttemptId("a1")
API = "https://faceid.tencentcloudapi.com"
OPENED, CONFIRMING = AttemptStatus.OPENED, AttemptStatus.CONFIRMING
ATTEMPT = make_attempt("a1", method=Method.FACE, status=OPENED)

Pair = OpenedPair[TencentFaceProvider, FaceIdServer]


def make_provider(
    base: str, call: HttpCall, clock: FakeClock, counts: ProviderCounts | None = None, secret_key: str = SECRET_KEY
) -> TencentFaceProvider:
    account = FaceIdAccount(base, Credentials(SECRET_ID, secret_key), RULE_ID)
    client = FaceIdClient(account, call, clock)
    return TencentFaceProvider(client, base, clock, counts or ProviderCounts(), retry_delays=(0, 0))


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    clock, counts = FakeClock(), ProviderCounts()
    async with faceid_server(clock) as server, http_client(loopback_only=True) as call:
        made = Pair(make_provider(server.base, call, clock, counts), server, clock, counts, call, ATTEMPT)
        await made.open()
        yield made


async def test_a_flow_is_started_with_name_number_and_attempt(pair: Pair) -> None:
    assert pair.server.calls == [
        (
            "DetectAuth",
            {"RuleId": RULE_ID, "IdCard": NUMBER, "Name": "王小明", "RedirectUrl": BACK, "Extra": "a1"},
        )
    ]
    assert len(pair.attempt.provider_state) < 2048
    assert (pair.ours.app, pair.ours.simulated) == (ProviderApp.WECHAT, False)
    provider: PollableProvider = pair.ours
    assert provider.read_callback({}, b"") is None


async def test_only_the_text_of_a_flow_is_read(pair: Pair) -> None:
    await pair.poll()
    assert pair.server.calls[-1] == (
        "GetDetectInfoEnhanced",
        {"RuleId": RULE_ID, "BizToken": pair.server.last.token, "InfoType": "1"},
    )


async def test_the_phone_goes_to_the_flows_page_and_comes_back(pair: Pair) -> None:
    redirect = await pair.ours.leave(pair.attempt, {"user-agent": "MicroMessenger"})
    assert redirect.provider_state == pair.attempt.provider_state
    async with aiohttp.ClientSession() as phone:
        page = await phone.get(redirect.url)
        assert 'value="pass"' in await page.text()
        answer = await phone.post(redirect.url, data={"press": "pass"}, allow_redirects=False)

    assert answer.headers["location"] == f"{BACK}?BizToken={pair.server.last.token}"
    assert await pair.poll() == Passed()


@pytest.mark.parametrize("form", Unfinished)
async def test_a_flow_without_a_result_is_opened_and_then_confirming(pair: Pair, form: Unfinished) -> None:
    pair.server.unfinished = form
    assert await pair.poll() is OPENED
    pair.server.fail(1002)
    assert await pair.poll() is CONFIRMING


async def test_a_pass_counts_at_once_after_a_failed_try(pair: Pair) -> None:
    pair.server.show(1002)
    assert await pair.poll() is CONFIRMING
    pair.server.pass_()
    for _ in range(2):
        assert await pair.poll() == Passed()
    assert pair.counts.billed == 2


async def test_a_failure_between_two_tries_is_no_verdict(pair: Pair) -> None:
    pair.server.show(1002)
    assert await pair.poll() is CONFIRMING
    pair.clock.advance(seconds=59)
    assert await pair.poll() is CONFIRMING
    pair.server.show(1002)
    pair.clock.advance(seconds=59)
    # The same code after one more try: the person is still at it.
    assert await pair.poll() is CONFIRMING
    pair.clock.advance(seconds=60)
    assert await pair.poll() == Rejected(Reason.FACE_UNCLEAR)


async def test_a_failure_that_is_gone_is_forgotten(pair: Pair) -> None:
    pair.server.end(2016)
    assert await pair.poll() is CONFIRMING
    result, pair.server.last.result = pair.server.last.result, None
    assert await pair.poll() is OPENED
    pair.server.last.result = result
    pair.clock.advance(minutes=2)
    assert await pair.poll() is CONFIRMING


async def test_a_failure_counts_when_the_person_has_come_back(pair: Pair) -> None:
    pair.server.show(2016)
    assert await pair.poll() is CONFIRMING
    assert await pair.poll(returned=True) == Rejected(Reason.FACE_DIFFERS)


async def test_who_came_back_before_the_verdict_is_remembered(pair: Pair) -> None:
    assert await pair.poll(returned=True) is OPENED
    pair.server.end(2006)
    assert await pair.poll() == Rejected(Reason.MISMATCH)


@pytest.mark.parametrize(
    ("code", "reason"), [(15, Reason.UNFINISHED), (16, Reason.UNFINISHED), (2018, Reason.TOO_MANY)]
)
async def test_a_failure_after_which_no_try_is_possible_counts_at_once(pair: Pair, code: int, reason: Reason) -> None:
    pair.server.end(code)
    assert await pair.poll() == Rejected(reason)


async def test_too_many_tries_end_the_flow(pair: Pair) -> None:
    for _ in range(15):
        pair.server.fail(1002)
    assert await pair.poll() is CONFIRMING
    pair.server.pass_()
    assert await pair.poll() == Rejected(Reason.TOO_MANY)


async def test_a_flow_ends_after_two_hours(pair: Pair) -> None:
    pair.clock.advance(seconds=7200)
    assert await pair.poll() is OPENED
    pair.clock.advance(seconds=1)
    assert await pair.poll() == Rejected(Reason.UNFINISHED)


async def test_an_error_between_two_tries_is_no_verdict(pair: Pair) -> None:
    pair.server.errors = ["FailedOperation.IncompleteFace"]
    assert await pair.poll() is CONFIRMING
    assert await pair.poll() is OPENED
    pair.server.errors = ["FailedOperation.CoveredFace"]
    assert await pair.poll(returned=True) == Rejected(Reason.FACE_COVERED)


@pytest.mark.parametrize("fields", [{"IdCard": OTHER_NUMBER}, {"Name": "王大明"}, {"Extra": "a2"}])
async def test_a_pass_of_somebody_else_is_no_pass(
    pair: Pair, fields: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    pair.server.pass_(**fields)
    assert await pair.poll() == Rejected(Reason.MISMATCH)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert not [value for value in (OTHER_NUMBER, "王大明", "王小明", NUMBER) if value in caplog.text]


async def test_an_unknown_code_is_neutral_and_counted_once(pair: Pair) -> None:
    pair.server.end(2999)
    assert await pair.poll() is CONFIRMING
    assert pair.counts.unknown_codes == {}
    assert await pair.poll(returned=True) == Rejected(Reason.UNAVAILABLE)
    assert pair.counts.unknown_codes == {"2999": 1}


async def test_an_unknown_error_is_no_answer_and_counted(pair: Pair) -> None:
    pair.server.errors = [f"FailedOperation.New{number}" for number in range(52)]
    for _ in range(52):
        with pytest.raises(AttemptNotServed):
            await pair.poll()
    assert await pair.poll() is OPENED
    assert len(pair.counts.unknown_codes) == 51
    assert pair.counts.unknown_codes["others"] == 2


@pytest.mark.parametrize("code", [203, 204])
async def test_an_account_without_the_right_is_the_operators(
    pair: Pair, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    pair.server.end(code)
    assert await pair.poll(returned=True) == Rejected(Reason.UNAVAILABLE)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_what_the_operator_must_mend_is_logged_once_until_a_call_succeeds(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    def errors() -> int:
        return sum(record.levelname == "ERROR" for record in caplog.records)

    pair.server.errors = ["UnauthorizedOperation.Arrears"] * 3
    for _ in range(2):
        with pytest.raises(ProviderMisconfigured):
            await pair.poll()
    with pytest.raises(ProviderMisconfigured):
        await pair.open()
    assert errors() == 1
    assert "UnauthorizedOperation.Arrears" in caplog.text

    await pair.poll()
    pair.server.errors = ["UnauthorizedOperation.Arrears"]
    with pytest.raises(ProviderMisconfigured):
        await pair.poll()
    assert errors() == 2
    assert pair.counts.unknown_codes == {}


LASTING = [FaceIdFault.HTML, FaceIdFault.REDIRECT, FaceIdFault.HUGE, FaceIdFault.A_LIST, FaceIdFault.NO_RESPONSE]
LASTING += [FaceIdFault.NO_CONTENT, FaceIdFault.DEEP, FaceIdFault.ODD_ERROR]
PASSING = [FaceIdFault.BROKEN, FaceIdFault.CUT]


@pytest.mark.parametrize("fault", [*LASTING, *PASSING])
async def test_a_wrong_answer_is_no_answer_and_the_next_one_counts(pair: Pair, fault: FaceIdFault) -> None:
    pair.server.pass_()
    pair.server.faults = [fault]
    with pytest.raises(ProviderUnavailable):
        await pair.poll()
    assert await pair.poll() == Passed()


@pytest.mark.parametrize("fault", PASSING)
async def test_a_transient_failure_to_start_is_retried(pair: Pair, fault: FaceIdFault) -> None:
    pair.server.faults = [fault]
    pair.server.errors = ["InternalError"]
    await pair.open()
    assert len(pair.server.calls) == 4


@pytest.mark.parametrize("fault", LASTING)
async def test_a_permanent_failure_to_start_is_not(pair: Pair, fault: FaceIdFault) -> None:
    pair.server.faults = [fault]
    with pytest.raises(ProviderUnavailable):
        await pair.open()
    assert len(pair.server.calls) == 2


async def test_a_hundred_calls_a_second_are_the_limit(pair: Pair) -> None:
    for _ in range(99):
        await pair.poll()
    with pytest.raises(TransientFailure):
        await pair.poll()
    pair.clock.advance(seconds=1)
    assert await pair.poll() is OPENED


@pytest.mark.parametrize(("minutes", "is_accepted"), [(-5, True), (5, True), (-6, False), (6, False)])
async def test_the_clock_may_be_five_minutes_off(pair: Pair, minutes: int, is_accepted: bool) -> None:
    now = pair.clock()
    pair.server.clock = lambda: now + timedelta(minutes=minutes)
    if is_accepted:
        assert await pair.poll() is OPENED
    else:
        with pytest.raises(ProviderUnavailable, match="SignatureExpire"):
            await pair.poll()


async def test_a_number_that_the_vendor_does_not_take_starts_no_flow_and_is_no_unknown_code(pair: Pair) -> None:
    pair.server.errors = ["FailedOperation.IdFormatError"]
    with pytest.raises(AttemptNotServed, match="IdFormatError"):
        await pair.open()
    assert pair.counts.unknown_codes == {}


async def test_another_key_starts_no_flow(pair: Pair) -> None:
    ours = make_provider(pair.server.base, pair.call, pair.clock, secret_key="another")
    with pytest.raises(ProviderUnavailable, match="SignatureFailure"):
        await ours.open(A1, make_identity(), BACK)


async def test_a_longer_name_than_the_vendor_takes_is_not_sent(pair: Pair) -> None:
    with pytest.raises(AttemptNotServed):
        await pair.ours.open(A1, make_identity(name="阿" * 33), BACK)
    assert len(pair.server.calls) == 1
    await pair.ours.open(A1, make_identity(name="阿" * 32), BACK)


@pytest.mark.parametrize(
    "url",
    [None, 7, "", "https://evil.example/", "http://open.weixin.qq.com/", "https://open.weixin.qq.com.evil.example/"],
)
async def test_ssrf_a_phone_is_sent_to_the_vendors_pages_and_nowhere_else(pair: Pair, url: object) -> None:
    pair.server.url = url if url is not None else 0
    with pytest.raises(ProviderUnavailable):
        await pair.open()


@pytest.mark.parametrize("url", ["https://open.weixin.qq.com/connect?a=b#wechat_redirect", "https://h5.faceid.qq.com/"])
async def test_a_phone_is_sent_to_the_vendors_pages(pair: Pair, url: str) -> None:
    pair.server.url = url
    await pair.open()
    assert (await pair.ours.leave(pair.attempt, {})).url == url


async def test_an_answer_without_a_token_starts_no_flow() -> None:
    for token in (None, 7, "", "a b", "x" * 257):
        body = json.dumps({"Response": {"Url": "https://open.weixin.qq.com/", "BizToken": token}}).encode()
        with pytest.raises(ProviderUnavailable):
            await make_provider(API, answering(body), FakeClock()).open(A1, make_identity(), BACK)


def test_the_vendors_own_address_is_no_page_for_phones() -> None:
    ours = make_provider(API, nobody, FakeClock())
    assert ours.phone_origins == {"https://open.weixin.qq.com", "https://faceid.qq.com", "https://*.faceid.qq.com"}


@pytest.mark.parametrize(
    "state", ["", "{}", "https://a.example/", '{"t": 1, "u": "", "f": null, "r": false}', "[" * 999]
)
async def test_a_state_of_another_provider_is_no_answer(pair: Pair, state: str) -> None:
    pair.attempt = replace(pair.attempt, provider_state=state)
    with pytest.raises(AttemptNotServed):
        await pair.poll()
    with pytest.raises(AttemptNotServed):
        await pair.ours.leave(pair.attempt, {})
    assert len(pair.server.calls) == 1


async def test_what_is_remembered_survives_storage_and_an_attempt_that_ended_bills_nothing(pair: Pair) -> None:
    pair.server.show(2016)
    assert await pair.poll() is CONFIRMING
    assert await pair.ours.poll(pair.attempt) == ProviderAnswer(CONFIRMING)
    ended = replace(pair.attempt, status=AttemptStatus.FAILED, identity=None)
    pair.clock.advance(minutes=1)
    assert (await pair.ours.poll(ended)).news == Rejected(Reason.FACE_DIFFERS)
    assert pair.counts.billed == 0


async def test_no_secret_and_nothing_personal_is_logged(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [SECRET_ID, SECRET_KEY, NUMBER, "王小明", BACK, pair.server.last.token, "wechat/"]
    pair.server.show(1002)
    await pair.poll()
    pair.server.faults = [*LASTING, *PASSING]
    for _ in range(len(pair.server.faults)):
        with pytest.raises(ProviderUnavailable) as refused:
            await pair.poll()
        assert not [secret for secret in secrets if secret in str(refused.value)]
    pair.server.errors = ["FailedOperation.New", "AuthFailure.TokenFailure", "InternalError"]
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await pair.poll()
    pair.server.faults = [FaceIdFault.HTML]
    with pytest.raises(ProviderUnavailable):
        await pair.open()
    pair.server.pass_(IdCard=OTHER_NUMBER)
    await pair.poll()

    assert "a1" in caplog.text
    assert not [secret for secret in [*secrets, OTHER_NUMBER] if secret in caplog.text]
    assert not [secret for secret in secrets if secret in repr(pair.ours) + repr(pair.attempt)]
