"""`faq-link`: a link to a question, its QR code, and its errors."""

import asyncio
import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from bot.content.catalogue import LANGUAGES
from bot.content.topics import BadTopics, read
from command_line import app
from tests.simulator_fixture import TOKEN, simulator


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, without the developer's own settings."""
    for name in os.environ:
        if name in {"BOT_TOKEN", "BOT_API_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **env: str) -> Result:
    return CliRunner(env=env).invoke(app, ["faq-link", *words])


def test_the_link_and_its_code_are_printed_without_asking_telegram() -> None:
    result = run("icp", "--bot", "@example_bot")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[-1] == "https://t.me/example_bot?start=faq_icp"
    assert len(lines) > 15
    assert not (set("".join(lines[:-1])) - set("█▀▄ "))


def test_the_code_is_written_to_files_for_print(folder: Path) -> None:
    result = run("icp", "--bot", "example_bot", "--png", "icp.png", "--svg", "icp.svg")

    assert result.exit_code == 0
    with Image.open(folder / "icp.png") as picture:
        assert picture.width > 1500
    assert (folder / "icp.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_no_file_is_written_over(folder: Path) -> None:
    (folder / "icp.png").write_text("mine", encoding="utf-8")
    (folder / "icp.svg").symlink_to("nowhere.svg")

    for words in (("--png", "icp.png", "--svg", "new.svg"), ("--svg", "icp.svg")):
        result = run("icp", "--bot", "example_bot", *words)

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"icp.{words[0][2:]}: exists already, and is not overwritten\n"
    assert (folder / "icp.png").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["icp.png", "icp.svg"]


def test_a_picture_goes_to_standard_output_alone() -> None:
    result = run("icp", "--bot", "example_bot", "--png", "-")

    with Image.open(BytesIO(result.stdout_bytes)) as picture:
        assert picture.width > 1500
    assert result.stderr.splitlines()[-1] == "https://t.me/example_bot?start=faq_icp"


def test_a_device_is_written_to() -> None:
    assert run("icp", "--bot", "example_bot", "--png", os.devnull).exit_code == 0


def test_only_one_picture_goes_to_standard_output() -> None:
    result = run("icp", "--bot", "example_bot", "--png", "-", "--svg", "-")

    assert (result.exit_code, result.stderr) == (2, "--png, --svg: only one of them can go to standard output\n")


async def test_the_bots_name_comes_from_telegram() -> None:
    async with simulator() as telegram:
        result = await asyncio.to_thread(run, "icp", BOT_TOKEN=TOKEN, BOT_API_URL=telegram.url)
        name = telegram.playground.world.profile.username

    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == f"https://t.me/{name}?start=faq_icp"


async def test_a_refused_token_and_an_unreachable_telegram_are_one_line() -> None:
    async with simulator() as telegram:
        refused = await asyncio.to_thread(run, "icp", BOT_TOKEN=TOKEN[:-1] + "x", BOT_API_URL=telegram.url)
    silent = await asyncio.to_thread(run, "icp", BOT_TOKEN=TOKEN, BOT_API_URL=telegram.url)

    assert (refused.exit_code, refused.stderr) == (2, "BOT_TOKEN: Telegram refuses this token\n")
    assert silent.exit_code == 1
    assert silent.stderr.startswith(f"BOT_API_URL: no answer from {telegram.url}")
    assert silent.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["three_account", "--bot", "example_bot"], "TOPIC: no question has the id 'three_account'; did you mean"),
        (["weather", "--bot", "example_bot"], "TOPIC: no question has the id 'weather'; there are three_accounts, "),
        (["icp", "--bot", "no name"], "--bot: write the bot's user name"),
        (["icp"], "BOT_TOKEN: missing; without it, give the bot's name by --bot NAME"),
    ],
)
def test_a_wrong_argument_is_an_error_with_exit_status_two(words: list[str], complaint: str) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


def test_a_file_that_cannot_be_written_is_named() -> None:
    result = run("icp", "--bot", "example_bot", "--png", "nowhere/icp.png")

    assert result.exit_code == 1
    assert result.stderr == "nowhere/icp.png: cannot be written (No such file or directory)\n"


def test_the_doctor_counts_the_questions() -> None:
    result = CliRunner().invoke(app, ["doctor", "--offline"])

    assert "ok: questions and answers: " in result.stdout


def test_missing_faq_files_are_an_error(folder: Path) -> None:
    with pytest.raises(BadTopics, match=r"faq\.zh\.toml"):
        read(folder, LANGUAGES)
