"""Other programs call the bot over HTTP: a link that they make leads a person to its account."""

from pathlib import Path

import httpx

from playground.world.files import read_qr_code
from tests.bot.app_fixture import running_bot
from tests.simulator_fixture import simulator

KEY = "a-key-of-a-program-0123456789"


async def test_a_link_made_over_http_opens_in_the_chat_once(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path, api_keys=KEY) as bot:
        transport = httpx.ASGITransport(bot.app.web_app)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as program:
            made = (await program.post("/v1/links", json={"account": "100012345"})).json()
            png = await program.get(f"/v1/links/{made['id']}/qr.png")
            svg = await program.get(f"/v1/links/{made['id']}/qr.svg")
            guest, foreign = await telegram.new_user(), await telegram.new_user("李雷")
            start = f"/start {made['url'].partition('start=')[2]}"
            await guest.says(start)
            await guest.sees(made["account"])
            await foreign.says(start)
            await bot.wait_until_quiet()
            shown = (await program.get(f"/v1/links/{made['id']}")).json()

    assert read_qr_code(png.content) == made["url"]
    assert svg.text.startswith("<svg ")
    assert (made["state"], shown["state"]) == ("waiting", "opened")
    assert made["account"] not in "".join(foreign.bot_texts())
