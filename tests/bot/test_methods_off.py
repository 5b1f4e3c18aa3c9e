"""A bot that comes back with a method switched off: no code, button or result is left that is not true."""

from pathlib import Path

from playground.phone.browser import Phone
from tests.bot.app_fixture import running_bot
from tests.provider_server import SECRET, provider
from tests.simulator_fixture import go_to_method_choice, press, scan, simulator

TEST_MARK = "🧪 测试环境"


async def test_a_live_attempt_ends_with_a_true_word_and_leads_to_the_methods_that_are_on(tmp_path: Path) -> None:
    async with simulator() as telegram, Phone() as phone:
        guest = await telegram.new_user()
        async with running_bot(telegram, tmp_path) as bot:
            await go_to_method_choice(guest)
            await guest.taps("微信扫码")
            await scan(guest, phone)
            await guest.sees("已在手机上打开")
            await bot.wait_until_quiet()
        async with running_bot(telegram, tmp_path, provider_wechat="off") as bot:
            await guest.sees("微信扫码：现在不提供了")
            question = await guest.sees("你选的现在没有提供", "核对资料")
            assert "微信扫码" not in str(question)
            await guest.taps("QQ 扫码")
            await guest.sees("用手机扫码", "QQ 扫码")
            await bot.wait_until_quiet()


async def test_an_old_button_of_a_method_that_is_off_is_answered_with_those_that_are_on(tmp_path: Path) -> None:
    async with simulator() as telegram:
        guest = await telegram.new_user()
        async with running_bot(telegram, tmp_path) as bot:
            await go_to_method_choice(guest)
            await bot.wait_until_quiet()
        async with running_bot(telegram, tmp_path, provider_qq="off", provider_wechat="off") as bot:
            await guest.taps("QQ 扫码")
            question = await guest.sees("你选的现在没有提供", "核对资料")
            assert "QQ" not in str(question)
            await guest.taps("人脸识别")
            await guest.sees("单独同意")
            await bot.wait_until_quiet()


async def test_labels_belong_to_the_provider_that_is_at_work(tmp_path: Path) -> None:
    async with provider() as server, simulator() as telegram, Phone() as phone:
        settings = {"provider_qq": "http", "provider_url": server.base, "provider_secret": SECRET}
        async with running_bot(telegram, tmp_path, allow_simulated=True, **settings) as bot:
            real, simulated = await telegram.new_user(), await telegram.new_user()
            await go_to_method_choice(real)
            await real.taps("QQ 扫码")
            await scan(real, phone)
            await press(phone, "前往验证")
            await real.sees("已在手机上打开")
            await phone.reload()
            await press(phone, "通过")
            success = await real.sees("🎉 认证成功")
            assert TEST_MARK not in str(success)
            assert real.find(TEST_MARK, "校验码") is None

            await go_to_method_choice(simulated)
            await simulated.taps("微信扫码")
            await simulated.sees(TEST_MARK, "校验码")
            await scan(simulated, phone)
            await press(phone, "前往授权")
            await press(phone, "授权验证")
            await simulated.sees(TEST_MARK, "🎉 认证成功")
            await bot.wait_until_quiet()
