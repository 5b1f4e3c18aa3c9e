"""Starts the bot, or runs a command where one is given. Installed, it is the command `realname-bot`."""

import gc
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from chatscript.local_run import RecordingTarget

ROOT = Path(__file__).resolve().parent
PROGRAM = (sys.executable, str(ROOT / "run_bot.py"))
TEXTS = ROOT / "bot" / "texts"


def main() -> None:
    """Start the bot; with arguments, leave it to the command line, whose library the bot needs neither time nor room
    for."""
    if sys.argv[1:]:
        from command_line import app

        app()
    sys.exit(start_bot())


def start_bot() -> int:
    """Run Telegram by long polling, or by webhook; without any setting, the playground. Returns the exit status."""
    speed_up_imports()
    settings = load_settings()
    if settings.bot_token is None:
        check_intended_playground(settings)
        gc.enable()
        return run_playground(settings)
    from bot.app import run

    return run(settings, print_error)


def speed_up_imports() -> None:
    """Leave out what an import of the bot does for nothing. `bot.app` lets the garbage collector work again."""
    # Nothing that is imported is garbage: to look for it takes a tenth of the start.
    gc.disable()
    # Pydantic would read the metadata of every installed package for plugins: another tenth, and 0.8 MiB.
    sys.modules.setdefault("pydantic.plugin._loader", _NoPlugins("pydantic.plugin._loader"))
    # The command line of httpx, which python-telegram-bot imports, would bring rich and pygments: 4 MiB and 60 ms.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: "not to be found"
    # The command line of uvicorn would bring click and multiprocessing: 1.5 MiB and 30 ms. Its package needs the server
    # of that module alone.
    sys.modules.setdefault("uvicorn.main", _NamesOfServer("uvicorn.main"))


class _NoPlugins(ModuleType):
    def get_plugins(self) -> tuple[()]:
        return ()


class _NamesOfServer(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        from uvicorn import server

        return getattr(server, name, None)


def print_error(line: str) -> None:
    """Print a line to standard error, in the form of the log."""
    from bot.settings import logs_as_json

    if not logs_as_json():
        sys.stderr.write(f"{line}\n")
        return
    import logging

    from bot import logs

    logs.configure("json", "INFO")
    logging.getLogger("run_bot").error("%s", line)


def load_settings() -> "Settings":
    """Read the settings; a wrong one is told in one line, and ends the program with 2."""
    from bot.settings import BadSetting, load

    try:
        return load(print_error)
    except BadSetting as error:
        print_error(str(error))
        sys.exit(2)


def check_intended_playground(settings: "Settings") -> None:
    """End with 2 where something says that the bot is meant for Telegram, and only its token is missing."""
    from bot.settings import setting_for_telegram

    name = "NOTIFY_SOCKET" if os.environ.get("NOTIFY_SOCKET") else setting_for_telegram(settings)
    if name:
        print_error(f"BOT_TOKEN: missing, but {name} is set; without a token, start: run_bot.py playground")
        sys.exit(2)


def run_playground(settings: "Settings", recording: "RecordingTarget | None" = None) -> int:
    """Run the playground until a signal, and return the exit status."""
    import secrets

    from chatscript.local_run import run_locally

    key = os.environ.get("DESK_KEY") or secrets.token_hex(12)
    return run_locally(
        PROGRAM,
        port=settings.port,
        say=_say,
        texts=TEXTS,
        recording=recording,
        variables={"DESK_KEY": key, "DESK_KEY_FILE": ""},
        note=f"Key of the desk:    {key}  (any name; its address is above)",
    )


def _say(text: str) -> None:
    # In one write: who reads from a pipe may have gone after the text.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
