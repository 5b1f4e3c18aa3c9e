"""The simulator's process and the bot's process."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from chatscript.runner.simulator_client import Ask, SimulatorAnswer, SimulatorClient
from tests.chatscript.bots.playing import FORM_BOT

ROOT = Path(__file__).resolve().parents[2]
BOT = "import os, sys; print('bot', os.getpid(), flush=True); sys.stdin.read()"
HOST = (
    "import sys; from chatscript.local_run import run_locally; "
    "sys.exit(run_locally([sys.executable, '-c', sys.argv[1]], port=0, say=lambda line: print(line, flush=True)))"
)


@pytest.mark.slow("programs")
async def test_a_bot_ends_with_its_simulator_even_when_that_is_killed() -> None:
    pipe = asyncio.subprocess.PIPE
    playground = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST, BOT, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert playground.stdout is not None
    async with asyncio.timeout(20):
        bot = int((await playground.stdout.readline()).split()[1])
        os.kill(playground.pid, signal.SIGKILL)
        await playground.wait()
        # The bot holds the other end of this pipe, which is closed when the last process with it has ended.
        rest = await playground.stdout.read()

    assert (bot > 0, rest) == (True, b"")


TELLS = "import os; print('staff', os.environ['STAFF_IDS'], flush=True)"


@pytest.mark.slow("programs")
@pytest.mark.parametrize(("given", "staff"), [("", "100000001"), ("7", "7")])
async def test_the_bot_gets_staff_ids_unless_the_environment_has_them(given: str, staff: str) -> None:
    pipe, env = asyncio.subprocess.PIPE, os.environ | {"STAFF_IDS": given}
    playground = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, TELLS, cwd=ROOT, stdout=pipe, env=env)
    assert playground.stdout is not None
    async with asyncio.timeout(20):
        line = await playground.stdout.readline()
        playground.terminate()
        await playground.wait()

    assert line.decode().split() == ["staff", staff]


def by_http(session: aiohttp.ClientSession) -> Ask:
    """Send requests to the simulator of another process."""

    async def ask(method: str, target: str, body: bytes) -> SimulatorAnswer:
        async with session.request(method, target, data=body) as answer:
            return SimulatorAnswer(answer.status, answer.content_type, await answer.read())

    return ask


RUNS = "import runpy; runpy.run_path({!r}, run_name='__main__')"


@pytest.mark.slow("programs")
async def test_a_recording_of_the_page_names_the_support_staff(tmp_path: Path) -> None:
    pipe, env = asyncio.subprocess.PIPE, os.environ | {"STAFF_IDS": "", "DATA_DIR": str(tmp_path)}
    playground = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST, RUNS.format(str(FORM_BOT)), cwd=ROOT, stdout=pipe, env=env
    )
    assert playground.stdout is not None
    async with asyncio.timeout(60):
        while b"Chat with the bot" not in (line := await playground.stdout.readline()):
            assert line
        page = line.split()[-1].decode()
        async with aiohttp.ClientSession(page) as button:
            await button.post("/sim/record", json={"on": True})
            await SimulatorClient(by_http(button)).write(100_000_001, 100_000_001, "/links")
            async with button.get("/sim/record") as answer:
                recording = await answer.json()
        playground.terminate()
        await playground.wait()

    assert recording["script"].splitlines()[1:4] == ["@set STAFF_IDS={id:A}", "", "> /links"]


RECORDING = (
    "import sys; from pathlib import Path; from chatscript.local_run import RecordingTarget, run_locally; "
    "sys.exit(run_locally([sys.executable, sys.argv[1]], port=0, say=lambda line: print(line, flush=True),"
    " recording=RecordingTarget(Path(sys.argv[2]))))"
)


@pytest.mark.slow("programs")
async def test_a_recorded_session_is_in_its_file_at_any_time(tmp_path: Path) -> None:
    out, pipe = tmp_path / "new.chat", asyncio.subprocess.PIPE
    (tmp_path / "clock").write_text("0", encoding="ascii")
    env = os.environ | {"CLOCK_OFFSET_FILE": str(tmp_path / "clock")}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RECORDING, str(FORM_BOT), str(out), cwd=ROOT, stdout=pipe, env=env
    )
    assert program.stdout is not None
    async with asyncio.timeout(60):
        while b"Chat with the bot" not in (line := await program.stdout.readline()):
            assert line
        async with aiohttp.ClientSession(line.split()[-1].decode()) as session:
            client = SimulatorClient(by_http(session))
            person = await client.add_person("王小明", "zh-hans")
            await client.write(person, person, "/start")
            events = (await client.events_after(0, 0)).last
            while not any(event.must_be_mentioned for event in (await client.events_after(0, 0)).events):
                events = (await client.events_after(events, 5)).last
        program.terminate()
        output = (await program.stdout.read()).decode()
        await program.wait()

    assert f"Recorded: {out}" in output
    assert out.read_text(encoding="utf-8").splitlines()[2:] == ["> /start", "< 你好", "    | 请输入姓名"]
