"""mypy finds a mistake in a transition before anything runs."""

from pathlib import Path

import pytest
from mypy import api

HEAD = """
from bot.flow.effects import Effect
from bot.flow.events import Choice, Command, AttemptOpened, Said, Sent
from bot.flow.rows import RuleContext, always, on, on_choice
from bot.flow.rules import anytime, details, entry, scan
from bot.flow.states import AskingName, AskingNumber, ChoosingType, Idle, Opening, Scanning

"""
GOOD = "on(AskingName, Said, details.name_said, AskingNumber)"
FAULTS = {
    "a rule of another state": "on(Idle, Said, details.name_said, AskingNumber)",
    "a rule of another state for a command": "on(Idle, Command.BACK, details.back_to_name, AskingName)",
    "a rule of another state for a choice": "on_choice(Idle, Choice.WECHAT, scan.wechat_chosen, Opening)",
    "a rule of another event": "on(AskingName, Sent, details.name_said, AskingNumber)",
    "a rule of an event for a command": "on(AskingName, Command.START, details.name_said, AskingNumber)",
    "a rule of an event for a choice": "on_choice(AskingName, Choice.AGREE, details.name_said, AskingNumber)",
    "a rule of one state for every state": "always(AttemptOpened, scan.attempt_opened, Scanning)",
    "a rule of an event for a command of every state": "always(Command.HELP, anytime.not_a_text)",
    "a trigger that is no event": "on(AskingName, str, details.name_said, AskingNumber)",
    "a trigger in words": 'on_choice(ChoosingType, "personal", entry.personal_chosen)',
    "a target that is no state": "on(AskingName, Said, details.name_said, AttemptOpened)",
    "a target that is an instance": 'on(AskingName, Said, details.name_said, Idle(account="a", question_id="m"))',
    "a target in words": 'on(AskingName, Said, details.name_said, "AskingNumber")',
    "a state that is no state": "on(Effect, Said, details.name_said, AskingNumber)",
}


@pytest.fixture
def errors(tmp_path: Path) -> dict[int, str]:
    """mypy's errors in a file with one transition per line, by line number."""
    planted = tmp_path / "planted.py"
    planted.write_text(HEAD + "\n".join([GOOD, *FAULTS.values()]) + "\n", encoding="utf-8")
    settings = Path(__file__).parents[3] / "pyproject.toml"
    output, error, _ = api.run(
        ["--config-file", str(settings), "--cache-dir", str(tmp_path / "cache"), "--no-pretty", str(planted)]
    )
    assert not error, error
    messages = [line.split(":", 2) for line in output.splitlines() if line.startswith(str(planted))]
    assert messages, output
    return {int(number): text for _, number, text in messages if " error:" in text}


@pytest.mark.slow("programs")
def test_only_a_correct_transition_is_accepted(errors: dict[int, str]) -> None:
    first = HEAD.count("\n") + 1
    refused = [fault for line, fault in enumerate(["none", *FAULTS], first) if line in errors]

    assert refused == [*FAULTS]
