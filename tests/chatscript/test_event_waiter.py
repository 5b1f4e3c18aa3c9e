"""Which events end the silence of an idle bot."""

import asyncio

import aiohttp

from chatscript.runner.event_waiter import EventWaiter, Timing
from chatscript.runner.simulator_client import SimulatorClient, ask_in_process
from playground.server.app import Playground, serve_playground
from playground.world.world import World

TOKEN = "7000000009:simulator-token-of-this-test"


async def test_any_event_ends_the_silence_even_one_that_scripts_do_not_contain() -> None:
    playground = Playground(World(token=TOKEN))
    client = SimulatorClient(ask_in_process(playground.app))
    async with serve_playground(playground) as address:
        listener = EventWaiter(client, Timing(), lambda: True)
        async with aiohttp.ClientSession(f"{address}/bot{TOKEN}/") as bot, asyncio.TaskGroup() as tasks:
            poll = tasks.create_task(bot.get("getUpdates", params={"timeout": 20}))
            assert await client.wait_idle(5)
            await listener.poll()

            looking = tasks.create_task(listener.poll(5))
            await bot.post("setMyName", json={"name": "实名认证助手"})
            silent = await looking

            assert not silent
            assert listener.events == []
            assert await listener.poll(0)
            poll.cancel()
