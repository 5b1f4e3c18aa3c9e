"""Waiting is never a dead end: every state and every delay has true words and a way on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.flow import states
from bot.flow.effects import AskQuestion, Effect, ReplaceCodeWithPicture, SendText, ShowCode
from bot.flow.events import Command, Commanded, MessageKind, Said, Sent
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from bot.flow.rules.waiting import SLOW_AFTER, Wait, wait_of
from bot.flow.states import PhoneStage, State
from tests.bot.flow.effect_texts import buttons
from tests.bot.flow.samples import CONTEXT, LATER, ONE_OF_EACH, STATES, expired, label, opening, scanning
from tests.fakes import NOON

CATALOGUE = load(days=30)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DELAYS = (
    *(0 * SECOND, SLOW_AFTER - SECOND, SLOW_AFTER, MINUTE - SECOND, MINUTE, 3 * MINUTE - SECOND, 3 * MINUTE),
    *(LATER - NOON - SECOND, LATER - NOON, 3 * timedelta(days=1)),
)
UNSCANNED = {
    "zh": ("没有人扫过", "还没有扫码"),
    "en": ("nobody has scanned", "nobody scanned", "Nothing has been scanned"),
}
NEWS = (Commanded(Command.STATUS), Said("扫了没反应"), Said("谢谢"), Sent(MessageKind.STICKER))


def waiting_states() -> Iterator[states.Opening | states.Scanning]:
    yield replace(opening(), since=NOON)
    for stage in PhoneStage:
        yield replace(scanning(stage=stage), since=NOON)


WAITING = tuple(waiting_states())
in_each_wait = pytest.mark.parametrize("delay", DELAYS, ids=str)


def text_of(effect: Effect, language: str) -> str:
    keys = [getattr(effect, name, None) for name in ("note", "text")]
    return "\n".join(CATALOGUE.texts[language][key] for key in keys if key)


def leads_on(state: State, reply: Effect, language: str) -> bool:
    """Whether a reply has a button, or names a command that does something."""
    named = any(f"/{command}" in text_of(reply, language) for command in (Command.BACK, Command.CANCEL))
    return bool(buttons(reply)) or named


@in_each_wait
@pytest.mark.parametrize("state", WAITING, ids=label)
def test_who_waits_hears_what_is_so_and_how_to_go_on(state: states.Opening | states.Scanning, delay: timedelta) -> None:
    context = replace(CONTEXT, now=NOON + delay)
    is_unscanned = isinstance(state, states.Opening) or state.stage is PhoneStage.WAITING
    is_over = isinstance(state, states.Scanning) and context.now >= state.expires_at

    for event in NEWS:
        step = advance(state, event, context)
        replies = [effect for effect in step.effects if isinstance(effect, SendText)]

        assert type(step.state) is type(state)
        assert len(replies) == 1
        for language in LANGUAGES:
            assert leads_on(state, replies[0], language)
            if event in NEWS[:2]:
                words = text_of(replies[0], language)
                says_unscanned = any(said in words for said in UNSCANNED[language])
                is_plain_hint = replies[0].text == "scan.said"
                assert says_unscanned is is_unscanned or is_plain_hint
                # A time that has passed is not named as one to come.
                assert not (is_over and "{until}" in words)


def test_not_yet_sent_being_checked_and_no_answer_yet_are_told_apart() -> None:
    def waits(state: states.Opening | states.Scanning, *delays: timedelta) -> list[Wait]:
        return [wait_of(state, NOON + delay) for delay in delays]

    fresh, unscanned, opened, confirming = WAITING
    assert waits(fresh, 0 * SECOND, SLOW_AFTER) == [Wait.PREPARING, Wait.SLOW]
    assert waits(unscanned, 9 * MINUTE, LATER - NOON) == [Wait.UNSCANNED, Wait.UNSCANNED_OVER]
    assert waits(opened, 2 * MINUTE, 3 * MINUTE, LATER - NOON) == [Wait.ON_PHONE, Wait.UNANSWERED, Wait.LAST_CHECK]
    assert waits(confirming, 0 * SECOND, MINUTE, LATER - NOON) == [Wait.CHECKING, Wait.UNANSWERED, Wait.LAST_CHECK]
    # An older release saved no time.
    assert waits(scanning(stage=PhoneStage.OPENED), 3 * MINUTE) == [Wait.ON_PHONE]


@pytest.mark.parametrize("stage", PhoneStage)
def test_a_code_that_expires_says_whether_anybody_had_scanned_it(stage: PhoneStage) -> None:
    question = prompt(replace(expired(), stage=stage))

    assert isinstance(question, ReplaceCodeWithPicture)
    assert ("没有人扫过" in text_of(question, "zh")) is (stage is PhoneStage.WAITING)
    assert leads_on(expired(), question, "zh")


@pytest.mark.parametrize("state", ONE_OF_EACH, ids=label)
def test_every_state_has_a_way_on_at_any_time(state: State) -> None:
    for delay in (0 * SECOND, 3 * timedelta(days=1)):
        step = advance(state, Commanded(Command.STATUS), replace(CONTEXT, now=NOON + delay))
        shown = [
            effect
            for effect in step.effects
            if isinstance(effect, AskQuestion | SendText | ShowCode | ReplaceCodeWithPicture)
        ]

        assert shown
        assert all(leads_on(state, shown[-1], language) for language in LANGUAGES)


def test_a_time_until_which_somebody_waits_is_named_and_stays_true() -> None:
    for state in STATES:
        if isinstance(state, states.Failed) and state.until is not None:
            step = advance(state, Commanded(Command.STATUS), replace(CONTEXT, now=state.until + MINUTE))

            assert all("{until}" in text_of(step.effects[-1], language) for language in LANGUAGES)
