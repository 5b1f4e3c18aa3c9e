"""Support's commands on the command line: links made, listed and revoked, and the funnel printed and written."""

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

from command_line import app
from playground.world.files import read_qr_code
from storage import SqlStore, open_store
from storage.encryption.key_file import KeyFile
from tests.bot.app_fixture import running_bot
from tests.fakes import NOON, TELEGRAM, make_attempt, make_identity
from tests.open_unit import open_unit
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
    """The folder of a bot that has run, without the developer's own settings."""
    for name in set(os.environ) & {"BOT_TOKEN", "BOT_API_URL", "DATABASE_URL", "DATA_DIR", "LINK_TTL", "API_KEYS"}:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with_store(lambda store: store.bot_ownership(TELEGRAM).note(int(TOKEN.partition(":")[0]), "example_bot"))
    return tmp_path


def run(*words: str, **env: str) -> Result:
    return CliRunner(env=env).invoke(app, list(words))


def with_store(work: Callable[[SqlStore], Awaitable[T]]) -> T:
    """Do something with the store, as a running bot does."""

    async def run_work() -> T:
        keys = KeyFile(Path("data/keys.json")).sealing()
        async with open_store("sqlite:///data/bot.sqlite3", sealing=keys) as store:
            return await work(store)

    return asyncio.run(run_work())


def make_link(*words: str) -> re.Match[str]:
    result = run("link", "--account", ACCOUNT, *words)
    assert result.exit_code == 0, result.stderr
    found = LINK.fullmatch(result.stdout.splitlines()[-1])
    assert found is not None
    return found


def listed(*words: str) -> list[Json]:
    result = run("links", "--json", *words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_link_is_printed_with_its_code_and_the_facts_for_support(folder: Path) -> None:
    result = run(
        *("link", "--account", ACCOUNT, "--campaign", "spring", "--ttl", "2h", "--method", "qq", "--language", "en"),
        *("--png", "link.png", "--svg", "link.svg"),
    )

    assert (result.exit_code, result.stderr) == (0, "")
    *_, about, until, end, _, link = result.stdout.splitlines()
    assert about == "For account 10*****45, campaign spring, qq, en"
    assert re.fullmatch(
        r"The first person who opens it until \d{4}-\d\d-\d\d \d\d:\d\d in Beijing \(2 h\) is bound to the account",
        until,
    )
    assert read_qr_code((folder / "link.png").read_bytes()) == link
    with Image.open(folder / "link.png") as picture:
        assert picture.width > 1500
    assert (folder / "link.svg").read_text("utf-8").startswith("<svg ")
    found = LINK.fullmatch(link)
    assert found is not None
    assert end == f"Revoke it with: revoke {found[2]}"
    assert ACCOUNT not in result.stdout
    [stored] = listed()
    assert (stored["id"], stored["state"], stored["campaign"]) == (found[2], "waiting", "spring")
    assert (stored["method"], stored["language"], stored["made_by"]) == ("qq", "en", "command")


def test_a_printed_link_opens_and_each_link_is_different() -> None:
    first, second = make_link(), make_link()

    async def opened(store: SqlStore) -> str | None:
        link = read_link_token(first[1], store.keyed_digest)
        assert link is not None
        async with open_unit(store, "telegram:7") as unit:
            opened = await unit.open_link(link, PersonId("telegram:7"), datetime.now(UTC))
        return opened.account if opened else None

    assert with_store(opened) == ACCOUNT
    assert first[2] != second[2]
    assert [each["state"] for each in listed()] == ["waiting", "opened"]


@pytest.mark.parametrize("file", ["mine.png", "nowhere/mine.png"])
def test_no_link_is_made_that_could_not_be_written(folder: Path, file: str) -> None:
    (folder / "mine.png").write_text("mine", encoding="utf-8")

    result = run("link", "--account", "100012345", "--bot", "example_bot", "--png", file)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{file}: ")
    assert (folder / "mine.png").read_text(encoding="utf-8") == "mine"
    assert run("links").stdout == "there are no such links\n"


def test_support_is_warned_of_an_account_that_is_verified() -> None:
    async def verified(store: SqlStore) -> None:
        async with open_unit(store, ACCOUNT) as unit:
            attempt = make_attempt("a1", ACCOUNT, status=AttemptStatus.SUCCEEDED, identity=None)
            await unit.save_attempt(attempt)
            await unit.take_slot(attempt, make_identity(), NOON)

    with_store(verified)

    assert "Warning: this account is verified already" in run("link", "--account", ACCOUNT).stdout


def test_links_are_listed_masked_by_campaign_and_account() -> None:
    make_link("--campaign", "spring")
    make_link()
    table = run("links").stdout

    assert ACCOUNT not in table
    assert table.count("10*****45") == 2
    assert [each["campaign"] for each in listed("--campaign", "spring")] == ["spring"]
    assert (len(listed("--account", ACCOUNT)), len(listed("--account", "7")), len(listed("--limit", "1"))) == (2, 0, 1)
    assert run("links", "--campaign", "autumn").stdout == "there are no such links\n"


def test_a_link_is_revoked() -> None:
    link = make_link()[2]
    result = run("revoke", link)

    assert (result.exit_code, result.stdout) == (0, f"revoked: {link}, for account 10*****45\n")
    assert [each["state"] for each in listed()] == [LinkState.REVOKED]
    assert run("revoke", link).exit_code == 0


def test_every_use_is_in_the_audit_log_without_a_full_account_or_token() -> None:
    link = make_link("--campaign", "spring")
    run("links", "--account", ACCOUNT)
    run("revoke", link[2])
    run("funnel", "--campaign", "spring", "--since", "2026-11-01", "--until", "2026-11-02")

    async def audit_log(store: SqlStore) -> list[tuple[Actor, str, str]]:
        async with store.support_unit(AuditEntry(actor=Actor("test"), action="uses", subject="", at=NOON)) as unit:
            return [(entry.actor, entry.action, entry.subject) for entry in await unit.audit_log(limit=9)][1:]

    assert with_store(audit_log) == [
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
        (["funnel", "--by", "method", "--method", "qq"], "--method: one method cannot be grouped by method"),
        (["funnel", "--csv", "-", "--json", "-"], "--csv, --json: only one of them"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(words: list[str], complaint: str) -> None:
    result = run(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(complaint)
    assert result.stderr.count("\n") == 1
    assert listed() == []


def test_a_missing_link_or_database_is_one_line_too() -> None:
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
    [(["method-link", "qq"], "way_qq"), (["language-link", "en"], "lang_en"), (["faq-link", "icp"], "faq_icp")],
)
def test_links_to_a_method_a_language_and_a_question_name_the_bot(words: list[str], payload: str) -> None:
    result = run(*words)

    assert result.stdout.splitlines()[-1] == f"https://t.me/example_bot?start={payload}"


@pytest.mark.parametrize("words", [["method-link", "qq"], ["link", "--account", ACCOUNT, "--method", "qq"]])
def test_no_link_is_made_for_a_method_that_is_off(words: list[str]) -> None:
    result = run(*words, PROVIDER_QQ="off")

    assert (result.exit_code, result.stderr) == (2, "PROVIDER_QQ: qq is off; there is wechat, face\n")


def test_a_command_works_under_its_former_name_and_says_so() -> None:
    renamed = run("way-link", "qq")

    assert renamed.stdout == run("method-link", "qq").stdout
    assert renamed.stderr == "way-link is called method-link now; the old name works until 0.3\n"


async def test_a_link_for_a_running_bot_needs_only_its_folder(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path / "data") as bot:
        result = await asyncio.to_thread(run, "link", "--account", ACCOUNT)
        link = result.stdout.splitlines()[-1]
        guest = await telegram.new_user()
        await guest.says(f"/start {link.partition('start=')[2]}")
        await guest.sees("10*****45")
        await bot.wait_until_quiet()
        name = telegram.playground.world.profile.username

    assert link.startswith(f"https://t.me/{name}?start=a")
    assert "In the playground, send it as a message" in result.stdout


async def test_with_a_token_the_name_comes_from_telegram_and_not_from_the_folder(tmp_path: Path) -> None:
    async with simulator() as telegram:
        result = await asyncio.to_thread(run, "link", "--account", ACCOUNT, BOT_TOKEN=TOKEN, BOT_API_URL=telegram.url)
        name = telegram.playground.world.profile.username

    assert result.stdout.splitlines()[-1].startswith(f"https://t.me/{name}?start=a")
    assert "playground" not in result.stdout


COHORTS = (
    Cohort(day=TODAY, campaign="spring", language="zh"),
    Cohort(day=TODAY - timedelta(days=1), campaign="", language="en"),
)


def funnel(*words: str) -> Result:
    return run("funnel", "--until", str(TODAY), *words)


async def journeys(store: SqlStore) -> None:
    """Ten people of each cohort open a link; nine start, and so on; three of those who are shown a code fail."""
    async with open_unit(store, "turn") as unit:
        for cohort in COHORTS:
            for come in range(1, 11):
                for index, step in enumerate(STEPS[: min(come, len(STEPS))]):
                    took = duration_bucket(timedelta(seconds=30)) if index else None
                    methods = (None, Method.QQ) if step in METHOD_STEPS else (None,)
                    await unit.add_to_funnel([FunnelIncrement(cohort, step, method, bucket=took) for method in methods])
            await unit.add_to_funnel([FunnelIncrement(cohort, None, Method.QQ, Reason.NO_CARD)] * 3)
            await unit.add_to_funnel([FunnelIncrement(cohort, None, Method.QQ, Reason.MISMATCH)])


def test_the_funnel_is_printed_by_step_with_the_worst_marked() -> None:
    with_store(journeys)
    lines = funnel("--campaign", "spring").stdout.splitlines()

    assert lines[0] == f"spring, {TODAY - timedelta(days=29)} to {TODAY}"
    assert [line.split()[:1] for line in lines[2:9]] == [[str(number)] for number in range(1, 8)]
    assert [line.split("%")[0].split()[-2] for line in lines[3:9]] == ["9", "8", "7", "6", "5", "4"]
    assert [line for line in lines if line.endswith("< worst")] == [lines[8]]
    assert re.search(r" 40 % +20 % +\d+ s +\d+ s ", lines[8])
    assert lines[-1] == "failed attempts: A no card 3 (75 %), B mismatch 1 (25 %)"


def test_the_grouped_funnel_has_a_row_for_each_group() -> None:
    with_store(journeys)
    campaigns = funnel("--by", "campaign").stdout
    days = funnel("--by", "day", "--language", "en").stdout
    methods = funnel("--by", "method").stdout
    none = run("funnel", "--by", "day", "--until", "2020-01-01").stdout

    assert re.search(r"^- +10 +9 +8 +7 +6 +5 +4  < +40 %$", campaigns, re.MULTILINE)
    assert re.search(r"^spring +10 +9 ", campaigns, re.MULTILINE)
    assert str(TODAY - timedelta(days=1)) in days
    assert re.search(r"^qq +12 +10 +8 ", methods, re.MULTILINE)
    assert none.endswith("\nnothing was counted\n")


def test_an_empty_funnel_is_printed_too() -> None:
    result = funnel("--png", "none.png")

    assert result.exit_code == 0
    assert result.stdout.endswith("no attempt failed\n")
    assert Path("none.png").read_bytes().startswith(b"\x89PNG")


def test_csv_and_json_hold_every_number(folder: Path) -> None:
    with_store(journeys)
    result = funnel("--by", "campaign", "--csv", "-", "--json", "funnel.json", "--png", "funnel.png")
    rows = list(csv.reader(StringIO(result.stdout)))
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


def test_an_export_to_standard_output_is_the_only_output() -> None:
    with_store(journeys)

    assert json.loads(funnel("--json", "-").stdout)["groups"][0]["group"] == ""
    assert funnel("--csv", "-").stdout.startswith("group,kind,")


def test_a_file_that_cannot_be_written_is_named() -> None:
    result = funnel("--csv", "nowhere/funnel.csv")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "nowhere/funnel.csv: cannot be written (No such file or directory)\n"


def test_without_a_database_that_answers_no_name_is_known(folder: Path) -> None:
    (folder / "data" / "bot.sqlite3").write_bytes(b"no database at all" * 100)
    damaged = run("faq-link", "three_accounts")
    (folder / "data" / "bot.sqlite3").unlink()
    missing = run("faq-link", "three_accounts")

    assert damaged.stderr == missing.stderr == "BOT_TOKEN: missing; without it, give the bot's name by --bot NAME\n"
    assert not (folder / "data" / "bot.sqlite3").exists()


def test_a_table_shows_typed_text_without_interpreting_it() -> None:
    assert run("link", "--account", "a:smile:100012345").exit_code == 0

    assert "a:smile:10*****45" in run("links").stdout
