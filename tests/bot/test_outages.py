"""Outages in the log: one line at the beginning, one a minute, one at the end, and what to do."""

import asyncio
import logging
from collections.abc import Mapping

import pytest

from bot.outages import Outage, Outages, noting, store_advice
from storage import StoreUnavailable
from tests.virtual_time_loop import run
from verification.errors import ProviderUnavailable
from verification.providers.http import TransientFailure


class Time:
    """A clock of seconds that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def outage(time: Time, caplog: pytest.LogCaptureFixture) -> Outage:
    caplog.set_level(logging.INFO)
    outage = Outage("Telegram", time, lambda reason: f"mend: {reason}")
    outage.is_reported = True
    return outage


def test_a_long_outage_is_a_line_at_its_beginning_one_a_minute_and_one_at_its_end(
    outage: Outage, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    outage.note("")
    for _ in range(130):
        outage.note("connection refused")
        time.now += 1
    outage.note("")
    outage.note("")

    assert caplog.messages == [
        "Telegram is away: connection refused; mend: connection refused",
        "Telegram has been away for 60 s, 61 failures: connection refused; mend: connection refused",
        "Telegram has been away for 120 s, 121 failures: connection refused; mend: connection refused",
        "Telegram is back after 130 s, 130 failures",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "WARNING", "INFO"]
    assert not outage.is_open


def test_what_comes_and_goes_all_the_time_does_not_fill_the_log(
    outage: Outage, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(600):
        outage.note("connection refused")
        outage.note("")
        time.now += 0.1

    assert len(caplog.messages) == 10

    time.now += 60
    outage.note("connection refused")
    assert len(caplog.messages) == 11


def test_an_outage_that_began_without_a_line_is_told_when_it_lasts(
    outage: Outage, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        outage.note("connection refused")
        outage.note("")
    outage.note("connection refused")
    time.now += 60
    outage.note("connection refused")
    outage.note("")

    assert caplog.messages[10:] == [
        "Telegram has been away for 60 s, 2 failures: connection refused; mend: connection refused",
        "Telegram is back after 60 s, 2 failures",
    ]


def test_before_the_start_has_succeeded_nothing_is_told(time: Time, caplog: pytest.LogCaptureFixture) -> None:
    outage = Outages(time, "bot.sqlite3").telegram

    outage.note("connection refused")

    assert not caplog.messages
    assert not outage.is_open


def test_the_lines_about_a_database_that_is_away_become_one_and_its_return_is_found(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log = logging.getLogger("bot.somewhere")
    answers, back = ["disk is full", ""], asyncio.Event()

    async def probe() -> str:
        answer = answers.pop(0)
        if not answer:
            asyncio.get_running_loop().call_soon(back.set)
        return answer

    async def story() -> None:
        outages = Outages(asyncio.get_running_loop().time, "data/bot.sqlite3")
        async with outages.reporting(probe):
            for error in (StoreUnavailable("database or disk is full"), StoreUnavailable("disk is full")):
                log.warning("something could not be written", exc_info=error)
            log.warning("something else", exc_info=ValueError("a"))
            sent = logging.getLogger("bot.jobs.result_webhook")
            sent.warning("a result was not taken")
            outages.receiver.note("status 503")
            sent.warning("this result was not taken either")
            sent.error("a result is given up")
            outages.receiver.note("")
            await back.wait()
        log.warning("after the end", exc_info=StoreUnavailable("disk is full"))

    run(story())

    advice = "free space on the disk of data/bot.sqlite3; the bot goes on by itself"
    assert caplog.messages == [
        f"the database is away: database or disk is full; {advice}",
        "something else",
        "a result was not taken",
        "the receiver of results is away: status 503; check RESULT_WEBHOOK_URL; results wait and are sent again",
        "a result is given up",
        "the receiver of results is back after 0 s, 1 failures",
        "the database is back after 2 s, 3 failures",
        "after the end",
    ]


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("database or disk is full", "free space on the disk of here"),
        ("database disk image is malformed", "stop the bot, check here with doctor, and restore a copy made by backup"),
        ("file is not a database", "stop the bot, check here with doctor, and restore a copy made by backup"),
        ("attempt to write a readonly database", "let the bot's user write here and its folder"),
        ("unable to open database file", "let the bot's user write here and its folder"),
        ("connection refused", ""),
    ],
)
def test_there_is_advice_for_what_an_operator_can_mend(reason: str, advice: str) -> None:
    given = store_advice(reason, "here")

    assert given.startswith(advice)
    assert bool(given) is bool(advice)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (200, ""),
        (410, ""),
        (503, "status 503"),
        (TransientFailure("no answer in time"), "no answer in time"),
        (ProviderUnavailable("an address without https"), "an address without https"),
    ],
)
async def test_a_server_is_away_when_it_does_not_answer_or_answers_that_it_cannot(
    outage: Outage, caplog: pytest.LogCaptureFixture, answer: int | Exception, reason: str
) -> None:
    async def call(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, body

    noted = noting(call, outage)
    if isinstance(answer, Exception):
        with pytest.raises(type(answer)):
            await noted("GET", "https://example.org", {}, b"")
    else:
        assert await noted("GET", "https://example.org", {}, b"a") == (answer, b"a")

    assert caplog.messages == ([f"Telegram is away: {reason}; mend: {reason}"] if reason else [])
