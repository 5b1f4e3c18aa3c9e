"""Saved dialogues load, in this release and from every earlier one."""

import json
import traceback
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.journey import Journey
from bot.flow.reminders import Reminders
from bot.flow.states import State
from tests.bot.flow.samples import (
    ACCOUNT,
    LATER,
    LINK,
    NAME,
    ONE_OF_EACH,
    QUESTION_ID,
    SECRETS,
    STATE_KINDS,
    STATES,
    failed,
    label,
    quota_full,
    scanning,
)
from tests.each_case import each_case
from tests.fakes import NUMBER, make_identity
from verification.attempts import TYPED_METHODS, Method, Reason
from verification.identity import Name
from verification.support.funnel import Cohort

GOLDEN = Path(__file__).parent / "golden"
SAVED = [
    pytest.param(line, id=f"{file.stem}-{json.loads(line)['state']}")
    for file in sorted(GOLDEN.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
in_each_state = each_case("state", STATES, label)


@in_each_state
def test_a_saved_state_loads_unchanged(state: State) -> None:
    assert codec.load(codec.dump(state)) == state


@pytest.mark.parametrize("name", ["𠮷野家", "\ue863小明", "O’Brien-Smith", "阿依古丽·买买提", '"\\', "é" * 50])
def test_a_saved_name_loads_with_every_character(name: str) -> None:
    state = states.AskingNumber(account=ACCOUNT, question_id=QUESTION_ID, name=Name(name))

    assert codec.load(codec.dump(state)) == state


# What earlier releases saved


@pytest.mark.parametrize("line", SAVED)
def test_what_a_release_saved_loads_with_every_field(line: str) -> None:
    saved, written = codec.load_all(line), json.loads(line.replace("+00:00", "Z"))
    if written["state"] == "ChoosingMethod":
        written |= {"state": "Confirming", "is_checked": True}

    assert json.loads(codec.dump(saved.state, saved.journeys, saved.suggested_method)).items() >= written.items()


def test_each_kind_of_state_of_the_first_release_loads() -> None:
    saved = (GOLDEN / "0.1.0.jsonl").read_text(encoding="utf-8").splitlines()

    assert {type(codec.load(line)) for line in saved} == set(STATE_KINDS) - {
        states.ReadingInvitation,
        states.CheckingName,
        states.QuotaFull,
    }
    assert len(saved) == len(STATE_KINDS) - 2


def test_each_kind_of_state_of_the_second_release_loads_with_the_suggested_method() -> None:
    saved = (GOLDEN / "0.2.0.jsonl").read_text(encoding="utf-8").splitlines()

    assert {type(codec.load(line)) for line in saved} == set(STATE_KINDS) - {states.CheckingName, states.QuotaFull}
    assert {codec.load_all(line).suggested_method for line in saved} == {None, *TYPED_METHODS}


def test_three_accounts_used_up_as_earlier_releases_saved_it_is_the_ending_of_its_own() -> None:
    saved = codec.dump(replace(failed(Reason.MISMATCH), reason=Reason.QUOTA))

    assert codec.load(saved) == quota_full()


def test_a_later_field_may_be_missing_and_a_removed_field_may_be_present() -> None:
    saved = json.loads(codec.dump(scanning(touched=False)))
    older = {key: value for key, value in saved.items() if key not in ("touched", "stage")} | {"retired": "yes"}

    assert codec.load(json.dumps(older)) == scanning()


UNREADABLE = {"journeys": [{"account": 1}], "way": "sms", "reminders": 3}


@pytest.mark.parametrize("names", [["journeys"], ["way"], ["reminders"], list(UNREADABLE)])
def test_what_is_unreadable_beside_the_state_does_not_stop_a_dialogue_from_loading(names: list[str]) -> None:
    journeys, reminders = (Journey(ACCOUNT, Cohort(day=LATER.date(), campaign="", language="zh")),), Reminders(sent=1)
    saved = json.loads(codec.dump(scanning(), journeys, Method.QQ, reminders)) | {
        each: UNREADABLE[each] for each in names
    }

    assert codec.load_all(json.dumps(saved)) == codec.SavedDialogue(
        scanning(),
        () if "journeys" in names else journeys,
        None if "way" in names else Method.QQ,
        Reminders() if "reminders" in names else reminders,
    )


# What no release saved

GARBAGE = [
    "",
    "null",
    "1",
    '"王小明"',
    "[]",
    '["state"]',
    "{}",
    '{"state": null}',
    '{"state": 1}',
    '{"state": []}',
    '{"state": {}}',
    '{"state": "王小明"}',
    '{"state": "Known", "account": "a", "mark": "m"}',
    '{"state": "StateBase", "account": "a", "mark": "m"}',
    '{"state": "Identified"}',
    '{"state": "Idle"}',
    '{"state": "Idle", "account": ["王小明"], "mark": "m"}',
    '{"state": "AskingNumber", "account": "a", "mark": "m", "name": "王小明"}',
    '{"state": "Idle", "account": "王小明"',
    f'{{"state": "Confirming", "account": "a", "mark": "m", "identity": {{"name": "{NAME}", "number": "{NUMBER}"}}}}',
    codec.dump(scanning()).replace('"waiting"', f'"{NAME}"'),
    codec.dump(scanning()).replace(LATER.isoformat().replace("+00:00", "Z"), NUMBER + "王小明"),
    f'{{"state": "Idle", "account": "{NAME}" "{NUMBER}"}}',
    NAME,
    "[" * 100_000,
    "\x00",
    "NaN",
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_any_other_text_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="a saved dialogue") as caught:
        codec.load(text)

    shown = "".join(traceback.format_exception(caught.value))
    assert [secret for secret in (*SECRETS, LINK) if secret in shown] == []


def test_a_state_may_hold_only_what_can_be_read_back() -> None:
    with pytest.raises(TypeError, match="object"):
        codec.dump(states.Idle(account=object(), question_id=QUESTION_ID))  # type: ignore[arg-type]  # the fault that is planted


# What is printed by accident


@in_each_state
def test_a_printed_state_shows_neither_name_nor_number_nor_link(state: State) -> None:
    shown = f"{state!r} {state!s} {[state]}"

    assert [secret for secret in (*SECRETS, LINK, "verify.example.com") if secret in shown] == []


def test_the_samples_do_hold_what_must_not_be_shown() -> None:
    written = "".join(map(codec.dump, ONE_OF_EACH))

    assert all(secret in written for secret in (make_identity().name.plain, make_identity().number.plain, LINK))
