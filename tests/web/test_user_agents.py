"""Apps are recognised by their User-Agent, checked in an order that tells them apart."""

import pytest

from tests.web.app_fixture import PHONES
from verification import Method
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
    ("method", "right"), [(Method.WECHAT, ClientApp.WECHAT), (Method.QQ, ClientApp.QQ), (Method.FACE, ClientApp.WECHAT)]
)
def test_each_method_belongs_to_one_app(method: Method, right: ClientApp) -> None:
    assert [app for app in ClientApp if in_right_app(method, app)] == [right]


def test_a_phone_whose_maker_is_called_cubot_is_no_robot() -> None:
    assert not is_robot({"user-agent": f"Mozilla/5.0 (Linux; Android 11; CUBOT X50) {ANDROID}"})
