"""The bots that are measured: ours, and those of bench/peers."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bot_api import TOKEN
from bench.people import Scenario, load_scenario
from chatscript.runner.bot_process import base_environment

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
_SCENARIOS = ROOT / "bench" / "scenarios"
_PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
MOST_CALLS = 24
"""The calls of a peer's whole conversation; with fewer it leaves out what a person misses least, see bench/peers."""
FEWEST_CALLS = 12


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot: what it is called in a table, and how it is started with the number of calls of a conversation."""

    key: str
    name: str
    command: Sequence[str]
    environment: Callable[[Path, int], Mapping[str, str]]
    scenario: Path
    has_pages: bool = False

    def load_scenario(self) -> Scenario:
        """Read its scenario."""
        return load_scenario(self.scenario)


def _our_environment(folder: Path, _: int) -> Mapping[str, str]:
    return {
        "DATA_DIR": str(folder),
        "PORT": "0",
        "ALLOW_SIMULATED": "1",
        "RATE_LIMIT_SENDING": "0",
        "DAILY_ATTEMPT_LIMIT": "1000000",
    }


def _peer(key: str, name: str, command: Sequence[str], **settings: str) -> Bot:
    def environment(folder: Path, calls: int) -> Mapping[str, str]:
        fitting = min(max(calls, FEWEST_CALLS), MOST_CALLS)
        return settings | {"DATABASE": str(folder / "state.db"), "CALLS": str(fitting)}

    return Bot(key, name, command, environment, _SCENARIOS / "peers.toml")


def _python_peer(key: str, name: str, program: str, **settings: str) -> Bot:
    python = _PEERS_PYTHON if _PEERS_PYTHON.exists() else Path(sys.executable)
    return _peer(key, name, (str(python), "-m", f"bench.peers.{program}"), **settings)


OURS = Bot(
    "ours",
    "**ours**",
    (sys.executable, str(ROOT / "run_bot.py")),
    _our_environment,
    _SCENARIOS / "ours.toml",
    has_pages=True,
)
AIOGRAM = _python_peer("aiogram", "aiogram 3 FSM + aiosqlite FULL", "aiogram_fsm")
PICKLE = _python_peer("pickle", "PTB ConversationHandler + PicklePersistence", "ptb_conversation")
FLOOR = _python_peer("floor", "PTB floor: aiohttp, group commit FULL", "ptb_floor")
FLOOR_UVLOOP = _python_peer("floor-uvloop", "PTB floor on uvloop", "ptb_floor", EVENT_LOOP="uvloop")
GRAMMY = _peer("grammy", "grammY runner, memory only", ("node", str(PEERS / "grammy.cjs")))


def grammy_is_installed() -> bool:
    """Whether Node is here, and grammY beside the program."""
    return shutil.which("node") is not None and (PEERS / "node_modules" / "grammy").exists()


def environment_of(bot: Bot, folder: Path, *, calls: int, api: str, events: str) -> Mapping[str, str]:
    """The whole environment of a bot."""
    common = {"BOT_TOKEN": TOKEN, "BOT_API_URL": api, "PHONE_EVENTS": events}
    return {**base_environment(os.environ), **common, **bot.environment(folder, calls)}
