"""What the player takes for silence."""

import asyncio

import aiohttp

from chatscript.runner.event_waiter import Listener, Timing
from chatscript.runner.simulator_client import SimClient
from playground.server.app import Playground, serving
from playground.world.world import World

TOKEN = "7000000009:stand-in-token-of-this-test"


async def test_whatever_happens_ends_the_silence_even_where_no_script_speaks_of_it() -> None:
    async with serving(Playground(World(token=TOKEN))) as address, SimClient(address) as client:
        listener = Listener(client, Timing(), lambda: True)
        async with aiohttp.ClientSession(f"{address}/bot{TOKEN}/") as bot, asyncio.TaskGroup() as tasks:
            poll = tasks.create_task(bot.get("getUpdates", params={"timeout": 20}))
            assert await client.idle(5)
            await listener.look()

            looking = tasks.create_task(listener.look(5))
            await bot.post("setMyName", json={"name": "实名认证助手"})
            silent = await looking

            assert not silent
            assert listener.events == []
            assert await listener.look(0)
            poll.cancel()
