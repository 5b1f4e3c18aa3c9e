"""Apps are recognised by their User-Agent, checked in an order that tells them apart."""

import pytest

from tests.web.app_fixture import PHONES
from verification.attempts import ProviderApp
from web.phone.user_agents import ClientApp, detect_app, in_right_app, is_robot

ANDROID = "Mozilla/5.0 (Linux; Android 13; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/109.0"


@pytest.mark.parametrize(
    ("agent", "app"),
    [
        (PHONES["wechat"], ClientApp.WECHAT),
        (f"{ANDROID} MQQBrowser/6.2 TBS/046 MicroMessenger/8.0.2 NetType/4G", ClientApp.WECHAT),
        (
            "Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20.1781 WindowsWechat",
            ClientApp.WECHAT_ON_DESKTOP,
        ),
        ("Mozilla/5.0 (Macintosh) MicroMessenger/6.8.0(0x16080000) MacWechat/3.8", ClientApp.WECHAT_ON_DESKTOP),
        (f"{ANDROID} wxwork/4.1.10 MicroMessenger/7.0.1", ClientApp.WECOM),
        (PHONES["qq"], ClientApp.QQ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4) Mobile/15E148 QQ/9.0.15.614 V1_IPH_SQ_9.0.15_1", ClientApp.QQ),
        (f"{ANDROID} MQQBrowser/14.6 Mobile Safari/537.36", ClientApp.QQ_BROWSER),
        (f"{ANDROID} AlipayClient/10.5.80", ClientApp.ALIPAY),
        (PHONES["browser"], ClientApp.OTHER),
        ("", ClientApp.OTHER),
    ],
)
def test_each_app_is_recognised_by_its_user_agent(agent: str, app: ClientApp) -> None:
    assert detect_app(agent) is app


@pytest.mark.parametrize(
    ("needed", "right"),
    [
        (ProviderApp.WECHAT, [ClientApp.WECHAT]),
        (ProviderApp.QQ, [ClientApp.QQ]),
        (ProviderApp.ALIPAY, [ClientApp.ALIPAY]),
        (ProviderApp.ANY, list(ClientApp)),
    ],
)
def test_a_provider_works_in_the_app_it_names(needed: ProviderApp, right: list[ClientApp]) -> None:
    assert [app for app in ClientApp if in_right_app(needed, app)] == right


@pytest.mark.parametrize(
    "agent",
    [
        *(PHONES[app] for app in ("wechat", "qq", "browser")),
        f"Mozilla/5.0 (Linux; Android 11; CUBOT X50) {ANDROID}",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22B83 "
        "MicroMessenger/8.0.54(0x18003630) NetType/4G Language/zh_CN",
        "Mozilla/5.0 (Linux; U; Android 13; zh-cn; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
        "Chrome/100.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.2",
        "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0 ArkWeb/4.1 Mobile",
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0)",
        "Opera/9.80 (Android; Opera Mini/36.2) Presto/2.12 Version/12.16",
        "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0",
    ],
)
def test_a_person_with_a_browser_is_no_robot(agent: str) -> None:
    assert not is_robot({"user-agent": agent})
