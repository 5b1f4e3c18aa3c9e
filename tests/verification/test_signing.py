"""Signed messages: other implementations of the standard accept ours, and everything else is refused."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.fakes import NOON
from tests.provider_server import OTHER_SECRET, SECRET, SIGNING
from verification.signing import InvalidSignature, WebhookSigner

BODY = b'{"session":"a1"}'


def test_a_signature_matches_the_example_of_the_standard() -> None:
    signing = WebhookSigner("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    headers = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def secret_of(key: bytes) -> str:
    return f"whsec_{base64.b64encode(key).decode()}"


@pytest.mark.parametrize("late", [timedelta(), timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_fresh_message_is_accepted(late: timedelta) -> None:
    SIGNING.verify(SIGNING.headers("id", NOON, BODY), BODY, NOON + late)


def test_of_several_signatures_one_must_match() -> None:
    headers = SIGNING.headers("id", NOON, BODY)
    other = WebhookSigner(OTHER_SECRET).headers("id", NOON, BODY)["webhook-signature"]
    headers["webhook-signature"] = f"{other} v1a,abc {headers['webhook-signature']}"

    SIGNING.verify(headers, BODY, NOON)


def test_while_a_secret_is_replaced_both_sign_and_both_are_accepted() -> None:
    both = WebhookSigner(f"{SECRET}, {OTHER_SECRET}")
    headers = both.headers("id", NOON, BODY)

    for secret in (SECRET, OTHER_SECRET):
        WebhookSigner(secret).verify(headers, BODY, NOON)
        both.verify(WebhookSigner(secret).headers("id", NOON, BODY), BODY, NOON)


def test_three_secrets_are_refused() -> None:
    with pytest.raises(ValueError, match="write one secret, or two"):
        WebhookSigner(",".join([SECRET, OTHER_SECRET, SECRET]))


def test_an_id_of_256_characters_is_accepted() -> None:
    SIGNING.verify(SIGNING.headers("x" * 256, NOON, BODY), BODY, NOON)


@pytest.mark.parametrize("message_id", ["", "x" * 257])
def test_inv18_an_id_that_is_empty_or_longer_is_refused_although_it_is_signed(message_id: str) -> None:
    with pytest.raises(InvalidSignature, match="webhook-id"):
        SIGNING.verify(SIGNING.headers(message_id, NOON, BODY), BODY, NOON)


def test_a_timestamp_of_11_digits_is_accepted() -> None:
    at = datetime(2300, 1, 1, tzinfo=UTC)

    SIGNING.verify(SIGNING.headers("id", at, BODY), BODY, at)


def test_of_the_signatures_4096_characters_are_read() -> None:
    headers = SIGNING.headers("id", NOON, BODY)
    signature = headers["webhook-signature"]

    SIGNING.verify(headers | {"webhook-signature": signature.rjust(4096)}, BODY, NOON)
    with pytest.raises(InvalidSignature, match="webhook-signature"):
        SIGNING.verify(headers | {"webhook-signature": signature.rjust(4097)}, BODY, NOON)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "another"),
        ("webhook-id", "x" * 257),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "９"),
        ("webhook-timestamp", "9" * 11),
        ("webhook-timestamp", "9" * 12),
        ("webhook-timestamp", "9" * 5000),
        ("webhook-timestamp", str(int(NOON.timestamp()) + 1)),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,ä"),
        ("webhook-signature", "v1,\ud800"),
        ("webhook-id", "\ud800"),
        ("webhook-timestamp", "²"),
        ("webhook-signature", "v2,abc"),
        ("webhook-signature", "v1," + "=" * 9000),
    ],
)
def test_inv18_a_wrong_or_missing_signature_is_refused(name: str, value: str) -> None:
    headers = SIGNING.headers("id", NOON, BODY) | {name: value}

    with pytest.raises(InvalidSignature, match="webhook-"):
        SIGNING.verify(headers, BODY, NOON)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_inv18_a_header_that_is_missing_is_named(name: str) -> None:
    headers = SIGNING.headers("id", NOON, BODY)
    del headers[name]

    with pytest.raises(InvalidSignature, match=name):
        SIGNING.verify(headers, BODY, NOON)


@pytest.mark.parametrize("zero", ["０", "٠"])
def test_inv18_a_timestamp_in_other_digits_is_refused(zero: str) -> None:
    headers = SIGNING.headers("id", NOON, BODY)
    digits = headers["webhook-timestamp"].translate({ord("0") + n: chr(ord(zero) + n) for n in range(10)})

    with pytest.raises(InvalidSignature, match="webhook-timestamp"):
        SIGNING.verify(headers | {"webhook-timestamp": digits}, BODY, NOON)


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_inv18_a_stale_message_is_refused(late: timedelta) -> None:
    with pytest.raises(InvalidSignature, match="webhook-timestamp"):
        SIGNING.verify(SIGNING.headers("id", NOON, BODY), BODY, NOON + late)


def test_inv18_another_body_or_another_secret_is_refused() -> None:
    for headers, body in (
        (SIGNING.headers("id", NOON, BODY), b"{}"),
        (WebhookSigner(OTHER_SECRET).headers("id", NOON, BODY), BODY),
    ):
        with pytest.raises(InvalidSignature):
            SIGNING.verify(headers, body, NOON)


@given(some.dictionaries(some.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), some.text()))
def test_inv18_arbitrary_headers_are_refused_without_other_errors(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature):
        SIGNING.verify(headers, BODY, NOON)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        secret_of(b"s" * 23),
        secret_of(b"l" * 65),
        secret_of(b"k" * 32).replace("a", "a!"),
        "whsec_not base64",
        "whsec_ä",
    ],
)
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        WebhookSigner(secret)


@pytest.mark.parametrize("length", [24, 64])
def test_a_secret_of_24_to_64_bytes_is_accepted(length: int) -> None:
    signer = WebhookSigner(secret_of(b"k" * length))

    signer.verify(signer.headers("id", NOON, BODY), BODY, NOON)
