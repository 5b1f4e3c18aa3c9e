"""`health` asks the running program whether it is ready, in one line and with an exit status."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from bot.cli.health import resting_methods
from bot.settings import Settings
from command_line import app
from tests.crash.process import free_port, running_bot_process
from tests.simulator_fixture import simulator


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, without the developer's own settings."""
    for name in set(os.environ) & {"HOST", "PORT", "BOT_TOKEN", "DATABASE_URL", "DATA_DIR", "PUBLIC_URL"}:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def health(**settings: str) -> Result:
    return CliRunner(env=settings).invoke(app, ["health"])


@contextmanager
def program(status: int, body: bytes, key: str | None = None) -> Iterator[str]:
    """Something that answers every request in this way, or only those with a key; gives its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.path in ("/readyz", "/metrics") and key in (None, self.headers["Authorization"])
            self.send_response(status if is_known else 404)
            self.end_headers()
            self.wfile.write(body if is_known else b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield str(server.server_port)
        server.shutdown()
        serving.join()


@pytest.mark.slow("programs")
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_running_bot_is_ready_wherever_it_listens(tmp_path: Path, host: str) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, HOST=host) as bot:
        assert await bot.run_command("health") == (0, "ready\n")


def test_a_program_that_is_not_ready_is_told_with_every_reason() -> None:
    reasons = {"store": "is read-only", "telegram": "no poll has succeeded yet"}
    with program(503, json.dumps({"ready": False, "reasons": reasons}).encode()) as port:
        told = health(PORT=port)

    assert told.exit_code == 1
    assert told.stdout == "not ready: store: is read-only; telegram: no poll has succeeded yet\n"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff"])
def test_something_else_at_the_port_is_not_ready(body: bytes) -> None:
    with program(200, body) as port:
        told = health(PORT=port)

    assert (told.exit_code, told.stdout.count("\n")) == (1, 1)
    assert told.stdout.startswith(f"not ready: no answer from 127.0.0.1:{port} (")


def test_no_program_is_not_ready() -> None:
    port = str(free_port())

    told = health(PORT=port)

    assert (told.exit_code, told.stderr) == (1, "")
    assert told.stdout == f"not ready: no answer from 127.0.0.1:{port} (connection refused)\n"


@pytest.mark.parametrize(("settings", "name"), [({"PORT": "0"}, "PORT: "), ({"QR_TTL": "soon"}, "QR_TTL: ")])
def test_without_a_port_to_ask_it_says_which_setting_is_wrong(settings: dict[str, str], name: str) -> None:
    told = health(**settings)

    assert (told.exit_code, told.stdout.count("\n")) == (1, 1)
    assert told.stdout.startswith(name)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ('bot_provider_resting{method="face"} 1.0\nbot_provider_resting{method="qq"} 0.0\n', ["face"]),
        ('bot_provider_resting{method="face"} 0.0\n', []),
        ("bot_updates_total 1.0\n", None),
        ("\udcff", None),
    ],
)
def test_the_methods_whose_provider_rests_are_read_from_the_metrics(metrics: str, expected: list[str] | None) -> None:
    with program(200, metrics.encode(errors="surrogateescape")) as port:
        assert resting_methods(Settings.model_construct(host="127.0.0.1", port=int(port))) == expected


def test_the_metrics_are_read_at_their_own_address_with_their_key() -> None:
    with program(200, b'bot_provider_resting{method="qq"} 1.0\n', key="Bearer " + 24 * "k") as port:
        settings = Settings.model_construct(
            host="127.0.0.1", port=free_port(), metrics_port=int(port), metrics_key=SecretStr(24 * "k")
        )

        assert resting_methods(settings) == ["qq"]


def test_without_a_running_program_nothing_is_known_of_providers() -> None:
    assert resting_methods(Settings.model_construct(host="127.0.0.1", port=free_port())) is None
