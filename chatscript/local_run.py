"""`make run` without a token: the stand-in and its page here, the bot as a process of its own beside it.

Two processes, so that the bot can be killed in the middle of a conversation as it can be in earnest: it is started
again and goes on where the person was. A bot never outlives this process: its Telegram would be gone.
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

Say = Callable[[str], None]

_HOST = "127.0.0.1"
_BAD_SETTING = 2
_SHORT_RUN = 3.0
_MAX_SHORT_RUNS = 3
_STOP_WITHIN = 10.0
_START_WITHIN = 60.0
_CUSTOMER = "王小明"
_SUPPORT, _SUPPORT_ID = "客服", 100_000_001
# Its standard input ends when this process does, in whatever way.
_KILL_AT_EOF = 'read -r _; kill -9 "$0"'


@dataclass(frozen=True, slots=True)
class RecordingTarget:
    """A whole session as a script: the bot starts with nothing; without a file, the script is said at the end."""

    file: Path | None = None


def run_locally(
    command: Sequence[str], *, port: int, say: Say, texts: Path | None = None, recording: RecordingTarget | None = None
) -> int:
    """Serve the playground and run the bot's command against it until a signal; gives the exit status.

    `port` is where the bot serves its phone pages, the chat page takes the next one; a port in use is replaced by
    a free one. `texts` is the bot's catalogue, for recorded scripts.
    """
    try:
        catalogue = load_bot_texts(texts) if texts else BotTexts()
        return asyncio.run(_run(command, port, say, catalogue, recording))
    except KeyboardInterrupt:
        return 0


async def _run(
    command: Sequence[str], port: int, say: Say, bot_texts: BotTexts, recording: RecordingTarget | None
) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    token = f"{secrets.randbelow(10**9) + 10**9}:{secrets.token_urlsafe(26)}"
    world = World(token=token)
    recorder = Recorder(world, bot_texts)
    playground = Playground(world, recorder.routes())
    phone_port = port if _is_free(port) else 0
    page_port = port + 1 if port and _is_free(port + 1) else 0
    async with serve_playground(playground, host=_HOST, port=page_port) as address, AsyncExitStack() as closing:
        env = {**os.environ, "BOT_TOKEN": token, "BOT_API_URL": address, "PORT": str(phone_port)}
        env["DESK_KEY"] = env.get("DESK_KEY") or secrets.token_hex(12)
        if recording is None:
            env |= _add_people(world, recorder, env)
        else:
            env |= _empty_data(closing)
            await closing.enter_async_context(_recorded_session(recorder, recording, say))
        async with asyncio.TaskGroup() as tasks:
            welcome = tasks.create_task(_welcome(playground, address, env["DESK_KEY"], say))
            code = await _keep_running(command, env, stop, say)
            welcome.cancel()
        return code


def _add_people(world: World, recorder: Recorder, env: Mapping[str, str]) -> dict[str, str]:
    """Let a customer in, and somebody of support, whom the bot is told of; unless it is told of others."""
    world.add_person(_CUSTOMER)
    if env.get("STAFF_IDS"):
        return {}
    world.add_person(_SUPPORT, id=_SUPPORT_ID)
    recorder.staff = frozenset({_SUPPORT_ID})
    return {"STAFF_IDS": str(_SUPPORT_ID)}


def _empty_data(closing: AsyncExitStack) -> dict[str, str]:
    """Let the bot begin as it does in every played script; what it keeps goes when the session ends."""
    folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="chat-", ignore_cleanup_errors=True))
    return {"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3"}


@asynccontextmanager
async def _recorded_session(recorder: Recorder, recording: RecordingTarget, say: Say) -> AsyncIterator[None]:
    """Write the script anew with everything that happens; what is in the file is whole at any time."""
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


async def _welcome(playground: Playground, address: str, key: str, say: Say) -> None:
    """Say where the chat is as soon as somebody answers there."""
    updates = playground.world.updates
    await playground.world.changes.wait_for(lambda: updates.has_waiting_poll, _START_WITHIN)
    say(
        f"\n  Chat with the bot:  {address}\n  Key of the desk:    {key}  (any name; its address is above)\n"
        "  (Ctrl-C ends it; chats are kept in memory only)\n"
    )


async def _keep_running(command: Sequence[str], env: dict[str, str], stop: asyncio.Event, say: Say) -> int:
    loop = asyncio.get_running_loop()
    hasty = 0
    while True:
        began = loop.time()
        process = await asyncio.create_subprocess_exec(*command, env=env)
        async with _killed_with_parent(process.pid):
            code = await _wait_for_end(process, stop)
        if stop.is_set():
            return 0
        if code == _BAD_SETTING:
            return code
        hasty = hasty + 1 if loop.time() - began < _SHORT_RUN else 0
        if hasty >= _MAX_SHORT_RUNS:
            say("The bot ends as soon as it begins; see its lines above.")
            return 1
        say(f"The bot ended ({_describe_exit(code)}); starting it again. Conversations go on where they were.")


@asynccontextmanager
async def _killed_with_parent(bot: int) -> AsyncIterator[None]:
    """Let the bot end with this process even when that is killed and can do nothing about it."""
    nobody = asyncio.subprocess.DEVNULL
    leash = await asyncio.create_subprocess_exec(
        "sh", "-c", _KILL_AT_EOF, str(bot), stdin=asyncio.subprocess.PIPE, stderr=nobody, start_new_session=True
    )
    try:
        yield
    finally:
        leash.kill()
        await leash.wait()


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
        async with asyncio.timeout(_STOP_WITHIN):
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
