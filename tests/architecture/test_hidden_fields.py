"""What the `repr` of a record leaves out, so that no log, traceback or test report shows it by accident."""

from dataclasses import fields, is_dataclass

import pytest

from bot.flow import effects, events, states
from verification.attempts import Attempt
from verification.core import ScanCode
from verification.dialogue_store import Dialogue
from verification.identity import Name, Number
from verification.limits import RateLimitRecord
from verification.ports import ProviderSession
from verification.support.service import CreatedLink
from verification.support.store import UnansweredQuestion

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
def test_a_secret_is_in_no_repr(record: type) -> None:
    assert is_dataclass(record)
    assert {each.name for each in fields(record) if each.repr is False} == HIDDEN[record]
