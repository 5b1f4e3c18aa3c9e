"""The vendor's SDK as the oracle: of signatures, of the fields of calls, and of the list of error codes.

It stands in for a call of ours to our strict server: what the SDK sends is what the vendor accepts.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faceid_server import (
    DETAIL_FIELDS,
    REQUEST_FIELDS,
    RULE_ID,
    SECRET_ID,
    SECRET_KEY,
    TEXT_FIELDS,
    faceid_server,
    tc3_signature,
)
from tests.fakes import NUMBER
from verification.providers.tencent.codes import API_REASONS, is_operators_fault, is_transient

pytest.importorskip("tencentcloud.faceid", reason="the vendor's SDK is not installed")

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.sign import Sign
from tencentcloud.faceid.v20180301 import errorcodes, models
from tencentcloud.faceid.v20180301.faceid_client import FaceidClient

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def fields_of(model: Callable[[], Any]) -> set[str]:
    return {name.removeprefix("_") for name in vars(model())}


def test_our_server_knows_the_fields_of_the_vendor() -> None:
    for action, fields in REQUEST_FIELDS.items():
        assert set(fields) == fields_of(getattr(models, f"{action}Request"))
    assert set(TEXT_FIELDS) == fields_of(models.DetectInfoText)
    assert set(DETAIL_FIELDS) == fields_of(models.DetectDetail)


def test_every_error_of_the_sdk_has_one_meaning() -> None:
    listed = [code for name, code in vars(errorcodes).items() if name.isupper()]

    assert len(listed) > 80
    meanings = {code: (code in API_REASONS) + is_transient(code) + is_operators_fault(code) for code in listed}
    assert {code: number for code, number in meanings.items() if number != 1} == {}


def test_the_signature_of_our_server_is_the_one_of_the_sdk() -> None:
    body = '{"Name": "王小明"}'.encode()
    head = "POST\n/\n\ncontent-type:application/json\nhost:h\n\ncontent-type;host\n" + hashlib.sha256(body).hexdigest()
    scope = "2026-11-30/faceid/tc3_request"
    text = f"TC3-HMAC-SHA256\n{int(AT.timestamp())}\n{scope}\n{hashlib.sha256(head.encode()).hexdigest()}"

    expected = Sign.sign_tc3(SECRET_KEY, "2026-11-30", "faceid", text)
    assert tc3_signature("application/json", "h", body, AT) == expected


def sdk_client(base: str, secret_key: str = SECRET_KEY) -> FaceidClient:
    http = HttpProfile(protocol="http", endpoint=base.removeprefix("http://"), reqTimeout=5, proxy="")
    return FaceidClient(Credential(SECRET_ID, secret_key), "", ClientProfile(httpProfile=http))


async def asked_by_sdk(base: str, secret_key: str = SECRET_KEY, number: str = NUMBER) -> object:
    """Start a flow by the SDK and read it; gives the token, or the code of the error."""
    client = sdk_client(base, secret_key)
    start, read = models.DetectAuthRequest(), models.GetDetectInfoEnhancedRequest()
    start.RuleId = read.RuleId = RULE_ID
    start.Name, start.IdCard = "王小明", number
    try:
        read.BizToken = (await asyncio.to_thread(client.DetectAuth, start)).BizToken
        answer = await asyncio.to_thread(client.GetDetectInfoEnhanced, read)
    except TencentCloudSDKException as error:
        return error.get_code()
    return read.BizToken, answer.Text


@pytest.mark.filterwarnings("ignore:.*fileds are useless", "ignore:datetime.datetime.utcfromtimestamp")
async def test_our_server_accepts_the_sdk_and_refuses_what_the_vendor_refuses() -> None:
    async with faceid_server(lambda: datetime.now(UTC)) as server:
        assert await asked_by_sdk(server.base) == (next(iter(server.flows)), None)
        assert await asked_by_sdk(server.base, "another key") == "AuthFailure.SignatureFailure"
        assert await asked_by_sdk(server.base, number=NUMBER.lower()) == "FailedOperation.IdFormatError"
        server.clock = lambda: datetime.now(UTC) + timedelta(minutes=6)
        assert await asked_by_sdk(server.base) == "AuthFailure.SignatureExpire"
