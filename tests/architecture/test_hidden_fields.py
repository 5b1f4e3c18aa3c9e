"""What the `repr` of a record leaves out, so that no log, traceback or test report shows it by accident."""

import pytest

import bot
import storage
import verification
import web
from bot.flow import effects, events, states
from tests.architecture.records import records
from verification.attempts import Attempt
from verification.core import ScanCode
from verification.dialogue_store import Dialogue
from verification.identity import Name, Number
from verification.limits import RateLimitRecord
from verification.ports import ProviderSession
from verification.record import Record
from verification.support.service import CreatedLink
from verification.support.store import UnansweredQuestion
from web.dependencies import WebDeps

HIDDEN: dict[type, set[str]] = {
    Attempt: {"token", "provider_state"},
    CreatedLink: {"token"},
    Dialogue: {"text"},
    Name: {"plain"},
    Number: {"plain"},
    ProviderSession: {"provider_state"},
    RateLimitRecord: {"number"},
    ScanCode: {"phone_url"},
    UnansweredQuestion: {"text"},
    WebDeps: {"metrics_key"},
    effects.CopyLinkButton: {"link"},
    effects.CountQuestion: {"redacted_question"},
    effects.OpenLinkButton: {"link"},
    effects.ShowCode: {"link"},
    events.AttemptOpened: {"link"},
    events.Commanded: {"arguments"},
    events.LinkOpened: {"token"},
    events.Said: {"text"},
    states.ReadingInvitation: {"former"},
    states.Scanning: {"link"},
}
"""Names, numbers, typed texts, and every address or token that opens something."""


@pytest.mark.parametrize("record", HIDDEN)
def test_a_secret_is_in_no_repr(record: type[Record]) -> None:
    assert set(record.hidden) == HIDDEN[record] <= set(record.__struct_fields__)


def test_the_repr_shows_the_other_fields() -> None:
    assert repr(Name("王小明", is_confidential=True)) == "Name(is_confidential=True)"
    assert repr([Number("11010519491231002X")]) == "[Number()]"


def test_what_a_record_hides_are_fields_of_it_and_stays_hidden_in_what_is_derived_from_it() -> None:
    ours = list(records(bot, storage, verification, web))

    assert [each for each in ours if not each.hidden <= set(each.__struct_fields__)] == []
    assert [each for each in ours for base in each.__bases__ if not getattr(base, "hidden", set()) <= each.hidden] == []
    assert {each for each in ours if each.hidden} > set(HIDDEN)
