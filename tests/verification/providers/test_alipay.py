"""Alipay as a provider, against a strict server with two pairs of keys: signatures, verdicts, faults, and the log."""

import base64
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from msgspec.structs import replace

from bot.http_client import http_client
from tests.alipay_server import (
    APP_ID,
    AlipayFault,
    AlipayServer,
    alipay_server,
    key_pair,
    private_text,
    public_text,
)
from tests.fakes import NUMBER, OTHER_NUMBER, FakeClock, make_attempt, make_identity
from tests.verification.providers.pair import BACK
from tests.verification.providers.pair import Pair as OpenedPair
from verification.attempts import AttemptId, AttemptStatus, Method, Passed, ProviderApp, Reason, Rejected
from verification.errors import AttemptNotServed, ProviderMisconfigured, ProviderUnavailable
from verification.ports import PollableProvider, ProviderAnswer
from verification.providers.addresses import allowed_phone_url
from verification.providers.alipay.client import AlipayAccount, AlipayClient
from verification.providers.alipay.provider import AlipayFaceProvider
from verification.providers.alipay.signer import MerchantKey, PlatformKey
from verification.providers.counts import ProviderCounts
from verification.providers.http import HttpCall, TransientFailure

A1 = AttemptId("a1")
OPENED = AttemptStatus.OPENED
ATTEMPT = make_attempt("a1", method=Method.FACE, status=OPENED)
BROWSER = {"user-agent": "Mozilla/5.0"}

Pair = OpenedPair[AlipayFaceProvider, AlipayServer]


def make_provider(
    gateway: str, call: HttpCall, clock: FakeClock, counts: ProviderCounts, merchant: str = "merchant"
) -> AlipayFaceProvider:
    keys = MerchantKey(private_text(key_pair(merchant))), PlatformKey(public_text(key_pair("platform")))
    client = AlipayClient(AlipayAccount(gateway, APP_ID, *keys), call, clock)
    return AlipayFaceProvider(client, gateway, clock, counts, retry_delays=(0, 0))


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    clock, counts = FakeClock(), ProviderCounts()
    async with alipay_server(clock) as server, http_client(loopback_only=True) as call:
        made = Pair(make_provider(server.gateway, call, clock, counts), server, clock, counts, call, ATTEMPT)
        await made.open()
        yield made


async def test_a_verification_is_started_with_name_and_number(pair: Pair) -> None:
    [(method, content)] = pair.server.calls
    order = content.pop("outer_order_no")
    assert method == "alipay.user.certify.open.initialize"
    assert content == {
        "biz_code": "FACE",
        "identity_param": {
            "identity_type": "CERT_INFO",
            "cert_type": "IDENTITY_CARD",
            "cert_name": "王小明",
            "cert_no": NUMBER,
        },
        "merchant_config": {"return_url": BACK},
    }
    assert "a1" not in order
    provider: PollableProvider = pair.ours
    assert (provider.app, provider.simulated) == (ProviderApp.ANY, False)
    assert provider.read_callback({}, b"") is None


async def test_opening_again_is_another_order(pair: Pair) -> None:
    await pair.open()
    assert len(pair.server.orders) == 2


async def test_from_another_browser_a_link_opens_alipay_on_the_same_phone(pair: Pair) -> None:
    redirect = await pair.ours.leave(pair.attempt, BROWSER)

    link = urlsplit(redirect.url)
    assert allowed_phone_url(redirect.url, pair.ours.phone_origins) == redirect.url
    assert (link.scheme, link.netloc, link.path) == ("alipays", "platformapi", "/startapp")
    assert redirect.provider_state == pair.attempt.provider_state
    query = parse_qs(link.query)
    assert query["appId"] == ["20000067"]
    async with aiohttp.ClientSession() as phone, phone.get(query["url"][0]) as page:
        assert (page.status, "身份验证" in await page.text()) == (200, True)


async def test_in_alipay_the_phone_goes_to_the_signed_address_itself(pair: Pair) -> None:
    redirect = await pair.ours.leave(pair.attempt, {"user-agent": "Mozilla/5.0 AlipayClient/10.6"})

    assert redirect.url.startswith(f"{pair.server.gateway}?")
    assert allowed_phone_url(redirect.url, pair.ours.phone_origins) == redirect.url
    async with aiohttp.ClientSession() as phone:
        assert (await phone.get(redirect.url)).status == 200
        changed = redirect.url.replace(pair.server.last.certify_id, "f" * 32)
        assert (await phone.get(changed)).status == 400
        done = f"{pair.server.base}/done/{pair.server.last.certify_id}/T"
        assert (await phone.post(done, allow_redirects=False)).headers["location"] == BACK
    assert await pair.poll() == Passed()


async def test_an_f_is_no_verdict_before_the_person_has_come_back(pair: Pair) -> None:
    for _ in range(3):
        assert await pair.poll() is OPENED
        pair.clock.advance(minutes=1)


async def test_an_f_is_a_verdict_ten_seconds_after_the_person_has_come_back(pair: Pair) -> None:
    assert await pair.poll(returned=True) is OPENED
    pair.clock.advance(seconds=9)
    assert await pair.poll(returned=True) is OPENED
    pair.clock.advance(seconds=1)
    assert await pair.poll() == Rejected(Reason.UNFINISHED)


async def test_a_pass_counts_at_once_also_after_the_way_back(pair: Pair) -> None:
    assert await pair.poll(returned=True) is OPENED
    pair.server.last.answer = {"passed": "T"}
    pair.clock.advance(seconds=30)
    assert await pair.poll() == Passed()


async def test_an_f_with_a_reason_is_a_verdict_and_its_code_is_counted_once(pair: Pair) -> None:
    pair.server.last.answer = {"passed": "F", "fail_reason": "Z1147"}
    assert await pair.poll() == Rejected(Reason.FACE_UNCLEAR)
    ended = replace(pair.attempt, status=AttemptStatus.FAILED, identity=None)
    assert (await pair.ours.poll(ended)).news == Rejected(Reason.FACE_UNCLEAR)
    assert pair.counts.unknown_codes == {"Z1147": 1}


@pytest.mark.parametrize("passed", [None, "", "t", True, "W", ["T"]])
async def test_another_word_than_t_is_no_pass(pair: Pair, passed: object) -> None:
    pair.server.last.answer = {"passed": passed, "fail_reason": "Z1147"}
    assert await pair.poll() is OPENED


@pytest.mark.parametrize(
    ("info", "verdict"),
    [
        (None, Passed()),
        ("", Passed()),
        ("{", Passed()),
        ([], Passed()),
        ({}, Passed()),
        (json.dumps({"cert_no": NUMBER.lower(), "cert_name": "王 小明"}), Passed()),
        ({"cert_no": None, "cert_name": None}, Passed()),
        ({"cert_no": OTHER_NUMBER}, Rejected(Reason.MISMATCH)),
        (json.dumps({"cert_name": "王大明"}), Rejected(Reason.MISMATCH)),
    ],
)
async def test_a_pass_of_somebody_else_never_counts(pair: Pair, info: object, verdict: object) -> None:
    pair.server.last.answer = {"passed": "T", "identity_info": info}
    assert await pair.poll() == verdict
    ended = replace(pair.attempt, status=AttemptStatus.SUCCEEDED, identity=None)
    assert (await pair.ours.poll(ended)).news == Passed()


@pytest.mark.parametrize(
    "fault",
    [
        AlipayFault.UNSIGNED,
        AlipayFault.OTHER_KEY,
        AlipayFault.REORDERED,
        AlipayFault.CHANGED,
        AlipayFault.NESTED,
    ],
)
async def test_an_answer_that_the_platform_did_not_sign_is_no_answer(pair: Pair, fault: AlipayFault) -> None:
    pair.server.last.answer = {"passed": "T"}
    pair.server.faults = [fault]
    with pytest.raises(ProviderUnavailable, match="not signed by the platform"):
        await pair.poll()
    assert await pair.poll() == Passed()


LASTING = [AlipayFault.HTML, AlipayFault.REDIRECT, AlipayFault.HUGE, AlipayFault.A_LIST, AlipayFault.NO_OBJECT]
LASTING += [AlipayFault.ODD_CODE, AlipayFault.UTF_16]


@pytest.mark.parametrize("fault", [*LASTING, AlipayFault.BROKEN])
async def test_a_wrong_answer_is_no_answer(pair: Pair, fault: AlipayFault) -> None:
    pair.server.faults = [fault]
    with pytest.raises(ProviderUnavailable):
        await pair.poll()
    assert await pair.poll() is OPENED


async def test_a_transient_failure_to_start_is_retried_with_another_order(pair: Pair) -> None:
    pair.server.faults = [AlipayFault.BROKEN]
    pair.server.errors = [("20000", "aop.unknow-error")]
    await pair.open()
    assert len(pair.server.calls) == 4


@pytest.mark.parametrize("certify_id", [7, "", "a b", "a" * 65, ["a"]])
async def test_an_answer_without_a_certify_id_starts_nothing(pair: Pair, certify_id: object) -> None:
    pair.server.certify_id = certify_id
    with pytest.raises(ProviderUnavailable):
        await pair.open()


@pytest.mark.parametrize(
    "error",
    [("40002", "isv.invalid-app-id"), ("40006", "insufficient"), ("40004", "OPEN_CERTIFY_BILL_NOT_EXIST")],
)
async def test_what_the_operator_must_mend_is_logged_once_until_a_call_succeeds(
    pair: Pair, error: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def errors() -> int:
        return sum(record.levelname == "ERROR" for record in caplog.records)

    pair.server.errors = [error] * 3
    for _ in range(2):
        with pytest.raises(ProviderMisconfigured):
            await pair.poll()
    with pytest.raises(ProviderMisconfigured):
        await pair.open()
    assert errors() == 1
    await pair.open()
    pair.server.errors = [error]
    with pytest.raises(ProviderMisconfigured):
        await pair.poll()
    assert errors() == 2
    assert pair.counts.unknown_codes == {}


@pytest.mark.parametrize(
    ("code", "sub_code", "is_operators", "may_pass"),
    [
        *((code, "any", True, False) for code in ("20001", "40001", "40002", "40003", "40006")),
        ("40004", "isv.anything", True, False),
        ("40004", "OPEN_CERTIFY_BILL_NOT_EXIST", True, False),
        ("20000", "any", False, True),
        *(("40004", word, False, True) for word in ("SYSTEM_ERROR", "aop.unknow-error", "isp.unknow-error")),
        ("40004", "CERTIFY_ID_NOT_EXIST", False, False),
    ],
)
async def test_every_error_is_the_operators_or_may_pass_or_neither(
    pair: Pair, code: str, sub_code: str, is_operators: bool, may_pass: bool
) -> None:
    pair.server.errors = [(code, sub_code)]
    with pytest.raises(ProviderUnavailable) as refused:
        await pair.poll()

    assert isinstance(refused.value, ProviderMisconfigured) is is_operators
    assert isinstance(refused.value, TransientFailure) is may_pass
    assert isinstance(refused.value, AttemptNotServed) is not (is_operators or may_pass)


async def test_an_unknown_error_is_counted_and_one_of_the_moment_is_not(pair: Pair) -> None:
    pair.server.errors = [("40004", "NEW_WORD"), ("40004", "SYSTEM_ERROR"), ("20000", "isp.unknow-error")]
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await pair.poll()
    assert pair.counts.unknown_codes == {"NEW_WORD": 1}


async def test_another_key_or_a_wrong_clock_starts_nothing(pair: Pair) -> None:
    ours = make_provider(pair.server.gateway, pair.call, pair.clock, pair.counts, merchant="another")
    with pytest.raises(ProviderUnavailable, match="invalid-signature"):
        await ours.open(A1, make_identity(), BACK)
    now = pair.clock()
    pair.server.clock = lambda: now + timedelta(minutes=6)
    with pytest.raises(ProviderUnavailable, match="invalid-timestamp"):
        await pair.open()


@pytest.mark.parametrize("state", ["", "{}", "https://a.example/", '{"c": 1, "r": null}', '{"c": "a", "r": "b"}'])
async def test_a_state_of_another_provider_is_no_answer(pair: Pair, state: str) -> None:
    pair.attempt = replace(pair.attempt, provider_state=state)
    with pytest.raises(AttemptNotServed):
        await pair.poll()
    with pytest.raises(AttemptNotServed):
        await pair.ours.leave(pair.attempt, BROWSER)
    assert len(pair.server.calls) == 1


async def test_what_did_not_change_is_not_stored_again(pair: Pair) -> None:
    assert await pair.ours.poll(pair.attempt) == ProviderAnswer(OPENED)


def der(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return base64.b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()


def test_keys_are_read_in_every_form_that_the_platforms_tools_write() -> None:
    key = key_pair("merchant")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    forms = [private_text(key), private_text(key, PrivateFormat.TraditionalOpenSSL), pem]
    assert len({MerchantKey(form).sign({"b": "2", "a": "1", "empty": ""}) for form in forms}) == 1
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signature = MerchantKey(pem).sign({"b": "2", "a": "1"})
    for form in (public_text(key), public):
        assert PlatformKey(form).has_signed("a=1&b=2", signature)
        assert not PlatformKey(form).has_signed("b=2&a=1", signature)
        assert not PlatformKey(form).has_signed("a=1&b=2", "no base64!")


SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it must be refused
CURVE = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    "written",
    ["", "secret", "AAAA", der(SMALL), der(CURVE), public_text(SMALL)],
    ids=["nothing", "a word", "other base64", "short", "a curve", "short and public"],
)
def test_other_keys_are_refused_without_being_quoted(written: str) -> None:
    for kind in (MerchantKey, PlatformKey):
        with pytest.raises(ValueError, match="at least 2048 bits") as refused:
            kind(written)
        assert not written or written not in str(refused.value)


async def test_no_secret_and_nothing_personal_is_logged(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pair.server.faults = [*LASTING, AlipayFault.OTHER_KEY]
    for _ in range(len(pair.server.faults)):
        with pytest.raises(ProviderUnavailable) as refused:
            await pair.poll()
        assert "王小明" not in str(refused.value)
    pair.server.errors = [("40002", "isv.invalid-app-id"), ("40004", "NEW")]
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await pair.open()
    pair.server.last.answer = {"passed": "T", "identity_info": {"cert_no": OTHER_NUMBER}}
    await pair.poll()

    secrets = [NUMBER, OTHER_NUMBER, "王小明", BACK, pair.server.last.certify_id, private_text(key_pair("merchant"))]
    assert "a1" in caplog.text
    assert not [secret for secret in secrets if secret in caplog.text]
