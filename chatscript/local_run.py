"""`make run` without a token: serves the simulator and its page, and runs the bot as a second process.

The bot has a process of its own so that it can be killed during a conversation, as on a real machine. It is started
again, and conversations continue. The bot never outlives this process, because its simulator would be gone.
"""

import asyncio
import os
import secrets
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chatscript.language.bot_texts import BotTexts, load_bot_texts
from chatscript.record.recorder import Recorder
from playground.server.app import Playground, serve_playground
from playground.world.world import World

Say = Callable[[str], object]

_HOST = "127.0.0.1"
_BAD_SETTING = 2
_SHORT_RUN = 3.0
_MAX_SHORT_RUNS = 3
_STOP_TIMEOUT = 10.0
_START_TIMEOUT = 60.0
_BOT_ID = 7_000_000_000
_CUSTOMER = "王小明"
_SUPPORT, _SUPPORT_ID = "客服", 100_000_001
# Waits until its standard input ends, which happens however this process ends, and then kills the bot.
_KILL_AT_EOF = 'read -r _; kill -9 "$0"'


@dataclass(frozen=True, slots=True)
class RecordingTarget:
    """Where the script of the session goes: to the file, or to the output at the end. The bot starts without data."""

    file: Path | None = None


def run_locally(
    command: Sequence[str],
    *,
    port: int,
    say: Say,
    texts: Path | None = None,
    recording: RecordingTarget | None = None,
    variables: Mapping[str, str] | None = None,
    note: str = "",
) -> int:
    """Serve the simulator and run the bot's command against it until a signal. Return the exit code.

    The bot serves its phone pages at `port`, and the chat page is at the next port; a port in use is replaced by a free
    one. `texts` is the folder of the bot's texts, for recorded scripts. The bot gets the further `variables`, and
    a `note` of its own stands below the address.
    """
    try:
        bot_texts = load_bot_texts(texts) if texts else BotTexts()
        return asyncio.run(_run(command, port, say, bot_texts, recording, variables or {}, note))
    except KeyboardInterrupt:
        return 0


async def _run(
    command: Sequence[str],
    port: int,
    say: Say,
    bot_texts: BotTexts,
    recording: RecordingTarget | None,
    variables: Mapping[str, str],
    note: str,
) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Always the same bot: the data that it has kept from an earlier run belongs to it.
    token = f"{_BOT_ID}:{secrets.token_urlsafe(26)}"
    world = World(token=token)
    recorder = Recorder(world, bot_texts)
    playground = Playground(world, recorder.routes())
    phone_port = port if _is_free(port) else 0
    page_port = port + 1 if port and _is_free(port + 1) else 0
    async with serve_playground(playground, host=_HOST, port=page_port) as address, AsyncExitStack() as closing:
        env = {**os.environ, "BOT_TOKEN": token, "BOT_API_URL": address, "PORT": str(phone_port)}
        env |= {"BOT_TOKEN_FILE": "", **variables}
        if recording is None:
            env |= _add_people(world, recorder, env)
        else:
            env |= _empty_data(closing)
            await closing.enter_async_context(_recorded_session(recorder, recording, say))
        async with asyncio.TaskGroup() as tasks:
            welcome = tasks.create_task(_welcome(playground, address, note, say))
            code = await _keep_running(command, env, stop, say)
            welcome.cancel()
        return code


def _add_people(world: World, recorder: Recorder, env: Mapping[str, str]) -> dict[str, str]:
    """Add a customer, and a person of the support staff unless STAFF_IDS names others. Return the bot's variables."""
    world.add_person(_CUSTOMER)
    if env.get("STAFF_IDS"):
        return {}
    world.add_person(_SUPPORT, id=_SUPPORT_ID)
    recorder.staff = frozenset({_SUPPORT_ID})
    return {"STAFF_IDS": str(_SUPPORT_ID)}


def _empty_data(closing: AsyncExitStack) -> dict[str, str]:
    """Return variables for an empty data folder, which is deleted when the session ends."""
    folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="chat-", ignore_cleanup_errors=True))
    return {"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3", "DATABASE_URL_FILE": ""}


@asynccontextmanager
async def _recorded_session(recorder: Recorder, recording: RecordingTarget, say: Say) -> AsyncIterator[None]:
    """Record the session; the file always holds a complete script."""
    recorder.start()
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(recorder.write_continuously(recording.file)) if recording.file else None
        try:
            yield
        finally:
            if writing:
                writing.cancel()
    if recording.file:
        await recorder.write(recording.file)
        say(f"Recorded: {recording.file}")
    else:
        say(f"\n{await recorder.script()}")


async def _welcome(playground: Playground, address: str, note: str, say: Say) -> None:
    """Print the addresses as soon as the bot asks for updates."""
    updates = playground.world.updates
    await playground.world.changes.wait_for(lambda: updates.has_waiting_poll, _START_TIMEOUT)
    lines = (f"Chat with the bot:  {address}", note, "(Ctrl-C ends it; chats are kept in memory only)")
    say("\n" + "".join(f"  {line}\n" for line in lines if line))


async def _keep_running(command: Sequence[str], env: dict[str, str], stop: asyncio.Event, say: Say) -> int:
    loop = asyncio.get_running_loop()
    short_runs = 0
    while True:
        started = loop.time()
        process = await asyncio.create_subprocess_exec(*command, env=env)
        async with _killed_with_parent(process.pid):
            code = await _wait_for_end(process, stop)
        if stop.is_set():
            return 0
        if code == _BAD_SETTING:
            return code
        short_runs = short_runs + 1 if loop.time() - started < _SHORT_RUN else 0
        if short_runs >= _MAX_SHORT_RUNS:
            say("The bot ends as soon as it starts; see its output above.")
            return 1
        say(f"The bot ended ({_describe_exit(code)}); starting it again. Conversations continue.")


@asynccontextmanager
async def _killed_with_parent(bot: int) -> AsyncIterator[None]:
    """Kill the bot when this process ends, even when this process is killed."""
    devnull = asyncio.subprocess.DEVNULL
    watchdog = await asyncio.create_subprocess_exec(
        "sh", "-c", _KILL_AT_EOF, str(bot), stdin=asyncio.subprocess.PIPE, stderr=devnull, start_new_session=True
    )
    try:
        yield
    finally:
        watchdog.kill()
        await watchdog.wait()


async def _wait_for_end(process: asyncio.subprocess.Process, stop: asyncio.Event) -> int:
    async with asyncio.TaskGroup() as tasks:
        ended = tasks.create_task(process.wait())
        stopping = tasks.create_task(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            await _end(process)
    return process.returncode or 0


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()


def _describe_exit(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True
