"""Signatures of Tencent Cloud's API 3.0."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.faceid_server import SECRET_ID, SECRET_KEY, tc3_signature
from verification.providers.tencent.signer import Credentials

CREDENTIALS = Credentials(SECRET_ID, SECRET_KEY)
HOST = "faceid.tencentcloudapi.com"
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_a_call_is_signed_as_the_vendor_signs_it() -> None:
    """The signature was made by the vendor's SDK 3.1.195 for this call."""
    assert CREDENTIALS.sign(HOST, b'{"RuleId": "0"}', AT) == {
        "Content-Type": "application/json",
        "Host": HOST,
        "X-TC-Timestamp": "1796040000",
        "Authorization": (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2026-11-30/faceid/tc3_request, "
            "SignedHeaders=content-type;host, "
            "Signature=4717eb99a62fc3f5125d7992aea5cb94a2c065f526a40d90231c180a61b4af9c"
        ),
    }


@pytest.mark.parametrize(
    ("host", "body", "at"),
    [
        (HOST, b"{}", AT),
        ("127.0.0.1:8099", '{"Name": "王小明"}'.encode(), AT),
        (HOST, b"", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        # The day in China is not the day of the signature.
        (HOST, b"{}", datetime(2026, 12, 1, 7, 59, tzinfo=timezone(timedelta(hours=8)))),
        (HOST, b"{}", AT.replace(microsecond=999_999)),
    ],
)
def test_two_signers_written_apart_agree(host: str, body: bytes, at: datetime) -> None:
    signed = CREDENTIALS.sign(host, body, at)

    second = at.astimezone(UTC).replace(microsecond=0)
    expected = tc3_signature("application/json", host, body, second)
    assert signed["Authorization"].endswith(f"Signature={expected}")
    assert f"/{second:%Y-%m-%d}/faceid/" in signed["Authorization"]


def test_neither_half_of_the_key_is_printed() -> None:
    assert SECRET_ID not in repr(CREDENTIALS)
    assert SECRET_KEY not in repr(CREDENTIALS)
