"""What the `repr` of a record leaves out, so that no log, traceback or test report shows it by accident."""

import pytest

from bot.flow import effects, events, states
from verification.attempts import Attempt
from verification.core import ScanCode
from verification.dialogue_store import Dialogue
from verification.identity import Name, Number
from verification.limits import RateLimitRecord
from verification.ports import ProviderSession
from verification.record import Record
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
def test_a_secret_is_in_no_repr(record: type[Record]) -> None:
    assert set(record.hidden) == HIDDEN[record] <= set(record.__struct_fields__)


def test_the_repr_shows_the_other_fields() -> None:
    assert repr(Name("王小明", is_confidential=True)) == "Name(is_confidential=True)"
    assert repr([Number("11010519491231002X")]) == "[Number()]"
