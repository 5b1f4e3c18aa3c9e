"""The bot beside another front end on its store: the other's people are never written to in Telegram."""

from datetime import timedelta
from itertools import count
from pathlib import Path

from tests.bot.app_fixture import RunningBot, running_bot
from tests.fakes import make_identity
from tests.simulator_fixture import go_to_method_choice, simulator
from verification.attempts import AttemptId, AttemptStatus, Method, Passed
from verification.core import AttemptRequest, Core, CoreDeps
from verification.ids import Account, Contact, FrontEnd
from verification.ports import NoticeKind
from verification.providers.simulated.provider import SimulatedProvider

CONSOLE = FrontEnd("cli")


def console_core(bot: RunningBot) -> Core:
    """The core of another program on the same store."""
    tokens = count()
    deps = CoreDeps(
        clock=bot.app.deps.clock.now,
        token=lambda: f"console-token-{next(tokens)}",
        match_code=lambda: "42",
        phone_url=lambda token: f"http://127.0.0.1/v/{token}",
        front_end=CONSOLE,
    )
    providers = {method: SimulatedProvider(method) for method in Method}
    return Core(bot.app.deps.store, providers, deps, ttl=timedelta(minutes=10))


async def test_a_result_of_another_front_end_reaches_nobody_in_telegram(tmp_path: Path) -> None:
    async with simulator() as telegram:
        # Somebody who knows the bot, and whose number is also that of a person of the other front end.
        guest = await telegram.new_user()
        async with running_bot(telegram, tmp_path) as bot:
            await go_to_method_choice(guest)
            await bot.wait_until_quiet()
            seen = len(guest.transcript())
            contact = Contact(f"{CONSOLE}:{guest.id}")
            core = console_core(bot)
            for number in range(3):
                request = AttemptRequest(
                    AttemptId(f"console-{number}"), Account(f"cloud:{number}"), contact, make_identity(), Method.QQ
                )
                await core.begin(request)
                await core.progress(request.id, AttemptStatus.OPENED, "")
                await core.complete(request.id, Passed())
            while await bot.app.jobs.notices.dispatch_batch():
                pass
            # What the bot does after the others' notices were posted is done, and none of it was about them.
            await guest.taps("QQ 扫码")
            await guest.sees("用手机扫码")
            await bot.wait_until_quiet()

            assert telegram.gate.rejected == []
            assert "认证成功" not in guest.transcript()[seen:]
            now = bot.app.deps.clock.now()
            owed = await bot.app.deps.store.claim_notices(CONSOLE, now, until=now + timedelta(seconds=5), limit=100)
            assert [(notice.contact, notice.kind) for notice in owed] == [(contact, NoticeKind.PROGRESS)]
