"""`faq-link`: a link to a question, its code, and what is said when there is none."""

import asyncio
import os
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from bot.content.catalogue import LANGUAGES
from bot.content.topics import BadTopics, read
from run_bot import app
from tests.simulator_fixture import TOKEN, simulator


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start the program in, and nothing of the developer's own settings."""
    for name in os.environ:
        if name in {"BOT_TOKEN", "BOT_API_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **kept: str) -> Result:
    return CliRunner(env=kept).invoke(app, ["faq-link", *words])


def test_the_link_and_its_code_are_told_without_asking_anybody() -> None:
    told = run("icp", "--bot", "@example_bot")

    lines = told.stdout.splitlines()
    assert told.exit_code == 0
    assert lines[-1] == "https://t.me/example_bot?start=faq_icp"
    assert len(lines) > 15
    assert not (set("".join(lines[:-1])) - set("█▀▄ "))


def test_the_code_is_written_for_print(folder: Path) -> None:
    told = run("icp", "--bot", "example_bot", "--png", "icp.png", "--svg", "icp.svg")

    assert told.exit_code == 0
    with Image.open(folder / "icp.png") as picture:
        assert picture.width > 1500
    assert (folder / "icp.svg").read_text(encoding="utf-8").startswith("<svg ")


async def test_the_bots_name_is_asked_of_telegram() -> None:
    async with simulator() as place:
        told = await asyncio.to_thread(run, "icp", BOT_TOKEN=TOKEN, BOT_API_URL=place.url)
        name = place.playground.world.profile.username

    assert told.exit_code == 0, told.stderr
    assert told.stdout.splitlines()[-1] == f"https://t.me/{name}?start=faq_icp"


async def test_a_refused_token_and_a_silent_telegram_are_told_in_one_line() -> None:
    async with simulator() as place:
        refused = await asyncio.to_thread(run, "icp", BOT_TOKEN=TOKEN[:-1] + "x", BOT_API_URL=place.url)
    silent = await asyncio.to_thread(run, "icp", BOT_TOKEN=TOKEN, BOT_API_URL=place.url)

    assert (refused.exit_code, refused.stderr) == (2, "BOT_TOKEN: Telegram refuses this token\n")
    assert silent.exit_code == 1
    assert silent.stderr.startswith(f"BOT_API_URL: no answer from {place.url}")
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
def test_what_cannot_be_made_is_said_with_exit_status_two(words: list[str], complaint: str) -> None:
    told = run(*words)

    assert told.exit_code == 2
    assert complaint in told.stderr
    assert told.stdout == ""


def test_a_file_that_cannot_be_written_is_named() -> None:
    told = run("icp", "--bot", "example_bot", "--png", "nowhere/icp.png")

    assert told.exit_code == 1
    assert told.stderr == "nowhere/icp.png: cannot be written (No such file or directory)\n"


def test_the_doctor_counts_the_questions() -> None:
    told = CliRunner().invoke(app, ["doctor", "--offline"])

    assert "ok: questions and answers: " in told.stdout


def test_nothing_is_read_from_texts_that_are_not_there(folder: Path) -> None:
    with pytest.raises(BadTopics, match=r"faq\.zh\.toml"):
        read(folder, LANGUAGES)
