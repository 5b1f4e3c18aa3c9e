"""The providers of the methods that are on, as the settings name them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from bot.outages import Outages
from bot.providers import alipay_client, faceid_client, open_providers
from bot.settings import BadSetting, Settings
from tests.alipay_server import APP_ID, key_pair, private_text, public_text
from tests.faceid_server import SECRET_ID, SECRET_KEY
from tests.provider_server import SECRET, nobody
from verification.attempts import Method

PUBLIC_URL = "https://bot.example.org"
OFF: dict[str, Any] = {"provider_wechat": "off", "provider_qq": "off", "public_url": PUBLIC_URL}
TENCENT = {
    "provider_face": "tencent",
    "tencent_secret_id": SecretStr(SECRET_ID),
    "tencent_secret_key": SecretStr(SECRET_KEY),
    "tencent_rule_id": "7",
}
ALIPAY = {
    "provider_face": "alipay",
    "alipay_app_id": APP_ID,
    "alipay_private_key": SecretStr(private_text(key_pair("merchant"))),
    "alipay_public_key": public_text(key_pair("platform")),
}
HTTP = {
    "provider_face": "http",
    "provider_url": "https://verify.example.org",
    "provider_secret": SecretStr(SECRET),
}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("facts", "origin"),
    [
        (TENCENT, "https://open.weixin.qq.com"),
        (ALIPAY, "alipays://platformapi"),
        (HTTP, "https://verify.example.org"),
    ],
    ids=["tencent", "alipay", "http"],
)
async def test_a_real_provider_stands_behind_a_breaker_and_sends_phones_to_its_own_pages(
    facts: dict[str, Any], origin: str
) -> None:
    outage = Outages(lambda: 0.0, "the database").provider
    async with open_providers(Settings(**OFF, **facts), PUBLIC_URL, now, outage) as providers:
        assert list(providers.by_method) == list(providers.breakers) == [Method.FACE]
        assert not providers.by_method[Method.FACE].simulated
        assert origin in providers.pollable[Method.FACE].phone_origins


async def test_a_client_without_its_key_is_refused() -> None:
    with pytest.raises(BadSetting, match="TENCENT_SECRET_KEY"):
        faceid_client(Settings(), nobody, now)
    with pytest.raises(BadSetting, match="ALIPAY_PRIVATE_KEY"):
        alipay_client(Settings(), nobody, now)
