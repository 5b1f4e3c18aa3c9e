"""Support's commands as they are typed: links made, listed and revoked, and the funnel told and written."""

import asyncio
import csv
import json
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from bot import bot_name
from bot.settings import load
from playground.world.files import read_qr_code
from run_bot import app
from storage import SqlStore, open_store
from storage.keyfile import KeyFile
from tests.bot.app_fixture import running_bot, settings_for
from tests.fakes import NOON, make_attempt, make_identity
from tests.simulator_fixture import TOKEN, simulator
from verification.attempts import AttemptStatus, Method, Reason
from verification.ids import Account, Actor, PersonId
from verification.invitations import LinkState, read_link_token
from verification.support.funnel import METHOD_STEPS, STEPS, Cohort, FunnelIncrement, bucket_range, duration_bucket
from verification.support.funnel_export import COLUMNS
from verification.support.store import AuditEntry

ACCOUNT = Account("100012345")
LINK = re.compile(r"https://t\.me/example_bot\?start=(a([0-9a-f]{16})\S{22})")
TODAY = NOON.date()

T = TypeVar("T")
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot that has run, and nothing of the developer's own settings."""
    for name in set(os.environ) & {"BOT_TOKEN", "BOT_API_URL", "DATABASE_URL", "DATA_DIR", "LINK_TTL", "API_KEYS"}:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    stored(nothing)
    bot_name.write(load(), "example_bot")
    return tmp_path


def run(*words: str, **kept: str) -> Result:
    return CliRunner(env=kept).invoke(app, list(words))


def stored(work: Callable[[SqlStore], Awaitable[T]]) -> T:
    """Do something with the store, as the bot does meanwhile."""

    async def done() -> T:
        keys = KeyFile(Path("data/keys.json")).sealing()
        async with open_store("sqlite:///data/bot.sqlite3", sealing=keys) as store:
            return await work(store)

    return asyncio.run(done())


async def nothing(_: SqlStore) -> None:
    """Make the database."""


def made(*words: str) -> re.Match[str]:
    told = run("link", "--account", ACCOUNT, *words)
    assert told.exit_code == 0, told.stderr
    found = LINK.fullmatch(told.stdout.splitlines()[-1])
    assert found is not None
    return found


def listed(*words: str) -> list[Json]:
    told = run("links", "--json", *words)
    assert told.exit_code == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_a_link_is_told_with_its_code_and_what_support_must_know(folder: Path) -> None:
    told = run(
        *("link", "--account", ACCOUNT, "--campaign", "spring", "--ttl", "2h", "--method", "qq", "--language", "en"),
        *("--png", "link.png", "--svg", "link.svg"),
    )

    assert (told.exit_code, told.stderr) == (0, "")
    *_, about, until, end, _, link = told.stdout.splitlines()
    assert about == "For account 10*****45, campaign spring, qq, en"
    assert re.fullmatch(
        r"It waits until \d{4}-\d\d-\d\d \d\d:\d\d in Beijing \(2 h\) for the first person who opens it", until
    )
    assert read_qr_code((folder / "link.png").read_bytes()) == link
    with Image.open(folder / "link.png") as picture:
        assert picture.width > 1500
    assert (folder / "link.svg").read_text("utf-8").startswith("<svg ")
    found = LINK.fullmatch(link)
    assert found is not None
    assert end == f"Taken back by: revoke {found[2]}"
    assert ACCOUNT not in told.stdout
    [kept] = listed()
    assert (kept["id"], kept["state"], kept["campaign"]) == (found[2], "waiting", "spring")
    assert (kept["method"], kept["language"], kept["made_by"]) == ("qq", "en", "command")


def test_a_link_that_was_told_opens_and_one_is_another_each_time() -> None:
    first, second = made(), made()

    async def opened(store: SqlStore) -> str | None:
        link = read_link_token(first[1], store.keyed_digest)
        assert link is not None
        async with store.unit("telegram:7") as unit:
            opened = await unit.open_link(link, PersonId("telegram:7"), datetime.now(UTC))
        return opened.account if opened else None

    assert stored(opened) == ACCOUNT
    assert first[2] != second[2]
    assert [each["state"] for each in listed()] == ["waiting", "opened"]


def test_support_is_warned_of_an_account_that_is_verified() -> None:
    async def verified(store: SqlStore) -> None:
        async with store.unit(ACCOUNT) as unit:
            attempt = make_attempt("a1", ACCOUNT, status=AttemptStatus.SUCCEEDED, identity=None)
            await unit.save_attempt(attempt)
            await unit.take_slot(attempt, make_identity(), NOON)

    stored(verified)

    assert "Warning: this account is verified already" in run("link", "--account", ACCOUNT).stdout


def test_links_are_listed_masked_by_campaign_and_account() -> None:
    made("--campaign", "spring")
    made()
    table = run("links").stdout

    assert ACCOUNT not in table
    assert table.count("10*****45") == 2
    assert [each["campaign"] for each in listed("--campaign", "spring")] == ["spring"]
    assert (len(listed("--account", ACCOUNT)), len(listed("--account", "7")), len(listed("--limit", "1"))) == (2, 0, 1)
    assert run("links", "--campaign", "autumn").stdout == "there are no such links\n"


def test_a_link_is_taken_back() -> None:
    link = made()[2]
    told = run("revoke", link)

    assert (told.exit_code, told.stdout) == (0, f"revoked: {link}, for account 10*****45\n")
    assert [each["state"] for each in listed()] == [LinkState.REVOKED]
    assert run("revoke", link).exit_code == 0


def test_every_use_is_written_down_and_none_with_a_whole_account_or_token() -> None:
    link = made("--campaign", "spring")
    run("links", "--account", ACCOUNT)
    run("revoke", link[2])
    run("funnel", "--campaign", "spring", "--since", "2026-11-01", "--until", "2026-11-02")

    async def uses(store: SqlStore) -> list[tuple[Actor, str, str]]:
        async with store.support_unit(AuditEntry(actor=Actor("test"), action="uses", subject="", at=NOON)) as desk:
            return [(use.actor, use.action, use.subject) for use in await desk.audit_log(limit=9)][1:]

    assert stored(uses) == [
        ("command", "funnel", "spring 2026-11-01..2026-11-02"),
        ("command", "revoke", link[2]),
        ("command", "links", "10*****45"),
        ("command", "link", f"{link[2]} 10*****45"),
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["link", "--account", "a b"], "--account: an account is "),
        (["link", "--account", "telegram:7"], "--account: accounts that begin with telegram:"),
        (["link", "--account", "7", "--campaign", "春天"], "--campaign: a campaign is "),
        (["link", "--account", "7", "--ttl", "soon"], "--ttl: write a number and a unit"),
        (["link", "--account", "7", "--ttl", "0s"], "--ttl: a link waits from 1 minute to 30 days"),
        (["link", "--account", "7", "--ttl", "31d"], "--ttl: a link waits from 1 minute to 30 days"),
        (["link", "--account", "7", "--language", "de"], "--language: write zh or en"),
        (["link", "--account", "7", "--bot", "no name"], "--bot: write the bot's user name"),
        (["links", "--campaign", "a b"], "--campaign: a campaign is "),
        (["links", "--account", "a b"], "--account: an account is "),
        (["revoke", "7"], "ID: a link's id is 16 digits"),
        (["language-link", "de"], "LANGUAGE: write zh or en"),
        (["funnel", "--campaign", "a b"], "--campaign: a campaign is "),
        (["funnel", "--since", "yesterday"], "--since: write a day: 2026-11-30"),
        (["funnel", "--since", "2026-11-02", "--until", "2026-11-01"], "--since: 2026-11-02 is after 2026-11-01"),
        (["funnel", "--language", "de"], "--language: write zh or en"),
        (["funnel", "--by", "method", "--method", "qq"], "--method: one way cannot be taken apart by way"),
        (["funnel", "--csv", "-", "--json", "-"], "--csv, --json: only one of them"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_it(words: list[str], complaint: str) -> None:
    told = run(*words)

    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith(complaint)
    assert told.stderr.count("\n") == 1
    assert listed() == []


def test_what_is_not_there_is_one_line_too() -> None:
    unknown = run("revoke", "0123456789abcdef")
    nowhere = run("link", "--account", "7", "--bot", "example_bot", DATA_DIR="elsewhere")
    nameless = run("link", "--account", "7", DATA_DIR="elsewhere")

    assert (unknown.exit_code, unknown.stderr) == (1, "0123456789abcdef: there is no such link\n")
    assert nowhere.exit_code == 1
    assert nowhere.stderr.startswith("elsewhere/bot.sqlite3: there is no database here; start the bot first")
    assert nameless.exit_code == 2
    assert not Path("elsewhere").exists()


@pytest.mark.parametrize(
    ("words", "payload"),
    [(["way-link", "qq"], "way_qq"), (["language-link", "en"], "lang_en"), (["faq-link", "icp"], "faq_icp")],
)
def test_links_to_a_way_a_language_and_a_question_are_the_bots_own(words: list[str], payload: str) -> None:
    told = run(*words)

    assert told.stdout.splitlines()[-1] == f"https://t.me/example_bot?start={payload}"


async def test_a_link_made_beside_a_bot_that_runs_needs_no_more_than_the_folder(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path / "data") as bot:
        told = await asyncio.to_thread(run, "link", "--account", ACCOUNT)
        link = told.stdout.splitlines()[-1]
        guest = await place.new_user()
        await guest.says(f"/start {link.partition('start=')[2]}")
        await guest.sees("10*****45")
        await bot.wait_until_quiet()
        name = place.playground.world.profile.username

    assert link.startswith(f"https://t.me/{name}?start=a")
    assert "In the playground, write it into the chat" in told.stdout


async def test_with_a_token_telegram_is_asked_for_the_name_whatever_stands_in_the_folder(tmp_path: Path) -> None:
    async with simulator() as place:
        bot_name.write(settings_for(place, tmp_path / "data"), "another_bot")
        told = await asyncio.to_thread(run, "link", "--account", ACCOUNT, BOT_TOKEN=TOKEN, BOT_API_URL=place.url)
        name = place.playground.world.profile.username

    assert told.stdout.splitlines()[-1].startswith(f"https://t.me/{name}?start=a")
    assert "playground" not in told.stdout


COHORTS = (
    Cohort(day=TODAY, campaign="spring", language="zh"),
    Cohort(day=TODAY - timedelta(days=1), campaign="", language="en"),
)


def funnel(*words: str) -> Result:
    return run("funnel", "--until", str(TODAY), *words)


async def journeys(store: SqlStore) -> None:
    """Ten people of each cohort open a link; nine start, and so on; three of those who are shown a code fail."""
    async with store.unit("turn") as unit:
        for cohort in COHORTS:
            for come in range(1, 11):
                for place, step in enumerate(STEPS[: min(come, len(STEPS))]):
                    took = duration_bucket(timedelta(seconds=30)) if place else None
                    ways = (None, Method.QQ) if step in METHOD_STEPS else (None,)
                    await unit.add_to_funnel([FunnelIncrement(cohort, step, way, bucket=took) for way in ways])
            await unit.add_to_funnel([FunnelIncrement(cohort, None, Method.QQ, Reason.NO_CARD)] * 3)
            await unit.add_to_funnel([FunnelIncrement(cohort, None, Method.QQ, Reason.MISMATCH)])


def test_the_funnel_is_told_step_by_step_with_the_worst_marked() -> None:
    stored(journeys)
    lines = funnel("--campaign", "spring").stdout.splitlines()

    assert lines[0] == f"spring, {TODAY - timedelta(days=29)} to {TODAY}"
    assert [line.split()[:1] for line in lines[2:9]] == [[str(number)] for number in range(1, 8)]
    assert [line.split("%")[0].split()[-2] for line in lines[3:9]] == ["9", "8", "7", "6", "5", "4"]
    assert [line for line in lines if line.endswith("< worst")] == [lines[8]]
    assert re.search(r" 40 % +20 % +\d+ s +\d+ s ", lines[8])
    assert lines[-1] == "failed attempts: A no card 3 (75 %), B mismatch 1 (25 %)"


def test_the_funnel_is_taken_apart_a_row_each() -> None:
    stored(journeys)
    campaigns = funnel("--by", "campaign").stdout
    days = funnel("--by", "day", "--language", "en").stdout
    ways = funnel("--by", "method").stdout
    none = run("funnel", "--by", "day", "--until", "2020-01-01").stdout

    assert re.search(r"^- +10 +9 +8 +7 +6 +5 +4  < +40 %$", campaigns, re.MULTILINE)
    assert re.search(r"^spring +10 +9 ", campaigns, re.MULTILINE)
    assert str(TODAY - timedelta(days=1)) in days
    assert re.search(r"^qq +12 +10 +8 ", ways, re.MULTILINE)
    assert none.endswith("\nnothing was counted\n")


def test_an_empty_funnel_is_told_too() -> None:
    told = funnel("--png", "none.png")

    assert told.exit_code == 0
    assert told.stdout.endswith("no attempt failed\n")
    assert Path("none.png").read_bytes().startswith(b"\x89PNG")


def test_csv_and_json_hold_every_figure(folder: Path) -> None:
    stored(journeys)
    told = funnel("--by", "campaign", "--csv", "-", "--json", "funnel.json", "--png", "funnel.png")
    rows = list(csv.reader(StringIO(told.stdout)))
    whole = json.loads((folder / "funnel.json").read_text("utf-8"))

    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + 2 * (len(STEPS) + 2)
    assert rows[3][:6] == ["", "step", "agreed", "8", "0.8", "0.8889"]
    shortest, longest = (side.total_seconds() for side in bucket_range(duration_bucket(timedelta(seconds=30))))
    assert shortest < float(rows[3][6]) < float(rows[3][7]) < longest
    assert rows[-1] == ["spring", "reason", "mismatch", "1", "", "", "", ""]
    assert (whole["until"], whole["by"], whole["campaign"]) == (str(TODAY), "campaign", None)
    assert [group["group"] for group in whole["groups"]] == ["", "spring"]
    assert [step["count"] for step in whole["groups"][1]["steps"]] == [10, 9, 8, 7, 6, 5, 4]
    assert (whole["groups"][0]["worst"], whole["groups"][0]["reasons"][0]) == (
        "verified",
        {"reason": "no_card", "count": 3},
    )
    with Image.open(BytesIO((folder / "funnel.png").read_bytes())) as picture:
        assert picture.size == (1200, 900)


def test_what_was_written_to_standard_output_is_all_that_stands_there() -> None:
    stored(journeys)

    assert json.loads(funnel("--json", "-").stdout)["groups"][0]["group"] == ""
    assert funnel("--csv", "-").stdout.startswith("group,kind,")


def test_a_file_that_cannot_be_written_is_named() -> None:
    told = funnel("--csv", "nowhere/funnel.csv")

    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == "nowhere/funnel.csv: cannot be written (No such file or directory)\n"


def test_a_name_that_was_spoilt_is_no_name(folder: Path) -> None:
    settings = load()
    (folder / "data" / "bot_name").write_bytes(b"\xff\x00 not a name")
    spoilt = bot_name.read(settings)
    bot_name.write(settings, "example_bot")

    assert (spoilt, bot_name.read(settings)) == (None, "example_bot")


def test_a_folder_that_takes_no_file_does_without_the_name(folder: Path) -> None:
    (folder / "data" / "bot_name").unlink()
    (folder / "data" / "bot_name").mkdir()

    bot_name.write(load(), "example_bot")

    assert bot_name.read(load()) is None


def test_a_table_shows_what_was_typed_and_draws_nothing_of_it() -> None:
    assert run("link", "--account", "a:smile:100012345").exit_code == 0

    assert "a:smile:10*****45" in run("links").stdout
