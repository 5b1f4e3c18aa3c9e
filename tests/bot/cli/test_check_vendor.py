"""What the doctor finds out about the services behind the methods, by one call that costs nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.cli.check_servers import check_vendor
from bot.cli.doctor import run_checks
from bot.settings import Settings
from tests.alipay_server import (
    APP_ID,
    AlipayFault,
    AlipayServer,
    alipay_server,
    key_pair,
    private_text,
    public_text,
)
from tests.faceid_server import RULE_ID, SECRET_ID, SECRET_KEY, FaceIdFault, FaceIdServer, faceid_server


@pytest.fixture
async def server() -> AsyncIterator[FaceIdServer]:
    async with faceid_server(lambda: datetime.now(UTC)) as made:
        yield made


def make_settings(server: FaceIdServer, secret_key: str = SECRET_KEY, rule_id: str = RULE_ID) -> Settings:
    return Settings(
        provider_wechat="off",
        provider_qq="off",
        provider_face="tencent",
        tencent_secret_id=SecretStr(SECRET_ID),
        tencent_secret_key=SecretStr(secret_key),
        tencent_rule_id=rule_id,
        tencent_endpoint=server.base,
    )


async def findings(settings: Settings) -> list[str]:
    return [f"{finding.severity} {finding.text}" for finding in await check_vendor(settings)]


async def test_a_good_account_is_proven_by_one_free_call(server: FaceIdServer) -> None:
    assert await findings(make_settings(server)) == ["ok PROVIDER_FACE: FaceID answers, and knows the account"]
    assert [action for action, _ in server.calls] == ["GetDetectInfoEnhanced"]


async def test_without_a_service_nothing_is_asked() -> None:
    assert await findings(Settings()) == []


async def test_what_is_wrong_is_said_in_a_sentence(server: FaceIdServer) -> None:
    assert "TENCENT_SECRET_KEY does not belong" in (await findings(make_settings(server, secret_key="another")))[0]
    assert "TENCENT_RULE_ID does not exist" in (await findings(make_settings(server, rule_id="1")))[0]
    server.errors = ["UnauthorizedOperation.Arrears", "FailedOperation.New"]
    assert "in arrears" in (await findings(make_settings(server)))[0]
    assert "FaceID answers FailedOperation.New" in (await findings(make_settings(server)))[0]
    server.faults = [FaceIdFault.BROKEN]
    assert "cannot be reached: status 502" in (await findings(make_settings(server)))[0]
    server.clock = lambda: datetime.now(UTC) + timedelta(minutes=6)
    assert "the clock of this machine" in (await findings(make_settings(server)))[0]


def alipay_settings(server: AlipayServer, merchant: str = "merchant", platform: str = "platform") -> Settings:
    return Settings(
        provider_wechat="off",
        provider_qq="off",
        provider_face="alipay",
        alipay_app_id=APP_ID,
        alipay_private_key=SecretStr(private_text(key_pair(merchant))),
        alipay_public_key=public_text(key_pair(platform)),
        alipay_gateway=server.gateway,
    )


async def test_a_good_app_at_alipay_is_proven_and_what_is_wrong_is_said_in_a_sentence() -> None:
    async with alipay_server() as server:
        assert await findings(alipay_settings(server)) == ["ok PROVIDER_FACE: Alipay answers, and knows the account"]
        assert "ALIPAY_PRIVATE_KEY does not" in (await findings(alipay_settings(server, merchant="another")))[0]
        assert "ALIPAY_PUBLIC_KEY is not" in (await findings(alipay_settings(server, platform="another")))[0]
        server.errors = [("40004", "OPEN_CERTIFY_BILL_NOT_EXIST"), ("20000", "aop.unknow-error")]
        assert "no contract" in (await findings(alipay_settings(server)))[0]
        assert "Alipay answers 20000 aop.unknow-error" in (await findings(alipay_settings(server)))[0]
        server.faults = [AlipayFault.BROKEN]
        assert "cannot be reached: status 502" in (await findings(alipay_settings(server)))[0]
        server.clock = lambda: datetime.now(UTC) + timedelta(minutes=6)
        assert "the clock of this machine" in (await findings(alipay_settings(server)))[0]


async def test_the_doctor_asks_unless_it_works_offline(
    server: FaceIdServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in make_settings(server).model_dump(include=SETTINGS).items():
        written = value.get_secret_value() if isinstance(value, SecretStr) else value
        monkeypatch.setenv(name.upper(), written)
    said = list[str]()

    await run_checks(said.append, offline=True)
    assert not server.calls
    await run_checks(said.append, offline=False)
    assert len(server.calls) == 1
    assert not [line for line in said if SECRET_KEY in line or SECRET_ID in line]


SETTINGS = {
    *("provider_wechat", "provider_qq", "provider_face", "tencent_secret_id", "tencent_secret_key"),
    *("tencent_rule_id", "tencent_endpoint"),
}
