"""The findings of the doctor: one line per check, a problem for everything that must be corrected, and no secret."""

import asyncio
import base64
from pathlib import Path

import pytest

from bot.cli.check_settings import fingerprint
from bot.cli.doctor import _providers, run_checks
from bot.cli.report import Finding, ok, warning
from bot.connection_failures import telegram_advice
from storage import open_database, open_store
from storage.encryption.key_file import KeyFile
from tests.fakes import NOON, TELEGRAM, make_attempt
from tests.open_unit import open_unit
from tests.postgres_server import Server
from tests.provider_server import SECRET
from tests.simulator_fixture import TOKEN, Simulator, simulator
from verification.attempts import AttemptStatus
from verification.ids import PersonId
from verification.result_outbox import DeliveryStatus

PERSON = PersonId("telegram:1")
RESULTS = {"RESULT_WEBHOOK_URL": "https://shop.example.org/results", "RESULT_WEBHOOK_SECRET": SECRET}
KEY = "5f0c1d9be27a48d3a6b0c4e8f1927d36"
WEAK = base64.b64encode(b"1" * 32).decode()
PUBLIC = {
    "BOT_TOKEN": TOKEN,
    "PUBLIC_URL": "https://bot.example.org",
    "ALLOW_SIMULATED": "1",
    "DATA_DIR": "keys",
    "DATABASE_URL": "sqlite:///data/bot.sqlite3",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "BOT_TOKEN",
        "BOT_API_URL",
        "DATABASE_URL",
        "DATA_DIR",
        "PUBLIC_URL",
        "LOG_LEVEL",
        "API_KEYS",
        "DESK_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def make_database(data: str = "keys") -> None:
    """Make a database with a dialogue in it, and its keys."""
    keys = KeyFile(Path(data) / "keys.json").sealing()
    async with open_store("sqlite:///data/bot.sqlite3", sealing=keys) as store, open_unit(store, PERSON) as unit:
        await unit.save_dialogue(PERSON, "text", language="zh", now=NOON)


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def open_to_others(*paths: str) -> None:
    for path in paths:
        Path(path).touch()
        Path(path).chmod(0o640)


def set_modes(modes: dict[str, int]) -> None:
    for path, mode in modes.items():
        Path(path).chmod(mode)


def lose_the_keys() -> None:
    Path("keys/keys.json").unlink()


async def look(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], *, offline: bool = True
) -> tuple[int, list[str]]:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    output: list[str] = []
    status = await run_checks(output.append, offline=offline)
    return status, output


def problems(output: list[str]) -> list[str]:
    return [line.removeprefix("problem: ") for line in output if line.startswith("problem: ")]


async def test_a_healthy_installation_has_no_problem_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    status, output = await look(monkeypatch, PUBLIC)
    content = (Path("keys") / "keys.json").read_text("utf-8")
    [(key_id, key)] = KeyFile(Path("keys/keys.json")).keys().items()

    assert (status, problems(output)) == (0, [])
    assert f"ok: key {key_id}: fingerprint {fingerprint(key)}" in output
    assert "ok: sealed values: all 1 can be opened" in output
    assert not [line for line in output if TOKEN.partition(":")[2] in line]
    assert not [line for line in output for word in content.split('"') if len(word) > 20 and word in line]


async def test_before_the_first_start_there_is_no_problem_and_no_file_is_created(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, output = await look(monkeypatch, PUBLIC)

    assert (status, problems(output)) == (0, [])
    assert files() == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"RETENTION_DAYS": "soon"}, "RETENTION_DAYS: "),
        ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL: "),
        ({"PUBLIC_URL": "http://bot.example.org"}, "PUBLIC_URL: "),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL: "),
        ({"BOT_API_URL": "http://api.example.org"}, "BOT_API_URL: "),
        ({"WEBHOOK_URL": "http://bot.example.org", "WEBHOOK_SECRET": "a" * 10 + "0123456789"}, "WEBHOOK_URL: "),
        ({"WEBHOOK_URL": "https://bot.example.org", "WEBHOOK_SECRET": "a" * 20}, "WEBHOOK_SECRET: "),
        ({"WEBHOOK_URL": "https://bot.example.org"}, "WEBHOOK_SECRET: "),
        ({"ENCRYPTION_KEYS": f"k1:{WEAK}", "INDEX_KEY": base64.b64encode(b"2" * 32).decode()}, "key k1 is not random"),
        ({"API_KEYS": f"{KEY},{'a' * 30}"}, "API_KEYS: key 2 is easy to guess"),
        ({"API_KEYS": f"{KEY},{KEY}"}, "API_KEYS: key 2 is listed twice"),
        ({"DESK_KEY": "a" * 30}, "DESK_KEY: is easy to guess"),
        ({"DESK_KEY": KEY, "API_KEYS": KEY}, "DESK_KEY: is also one of API_KEYS"),
        ({"ENCRYPTION_KEYS": "k1:short", "INDEX_KEY": WEAK}, "ENCRYPTION_KEYS: "),
    ],
)
async def test_each_bad_setting_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: str
) -> None:
    status, output = await look(monkeypatch, PUBLIC | settings)

    assert status == 1
    assert [line.startswith(expected) for line in problems(output)] == [True]
    assert not [value for value in ("aaaaaaaaaa", WEAK, "short", KEY) if value in "".join(output)]


async def test_support_access_is_reported_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    access = {"STAFF_IDS": "100012345,100054321", "API_KEYS": f"{KEY},shop:{KEY}7", "DESK_KEY": KEY[::-1]}
    status, output = await look(monkeypatch, PUBLIC | access)

    assert status == 0
    assert "ok: STAFF_IDS: 2 may use staff's commands in the chat" in output
    assert f"ok: API_KEYS: key 1, fingerprint {fingerprint(KEY.encode())}: links" in output
    shop = fingerprint(f"{KEY}7".encode())
    assert f"ok: API_KEYS: key shop, fingerprint {shop}: accounts, attempts, links" in output
    assert f"ok: DESK_KEY: fingerprint {fingerprint(KEY[::-1].encode())}" in output
    assert not [line for line in output if KEY in line or KEY[::-1] in line or "100012345" in line]


async def test_files_that_others_may_read_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    open_to_others(".env", "keys/keys.json", "data/bot.sqlite3")
    status, output = await look(monkeypatch, PUBLIC)

    assert status == 1
    assert [line.partition(":")[0] for line in problems(output)] == [".env", "keys/keys.json", "data/bot.sqlite3"]


async def test_folders_whose_files_others_may_replace_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    set_modes({"keys": 0o770, "data": 0o755})
    status, output = await look(monkeypatch, PUBLIC)

    assert status == 1
    assert problems(output) == ["keys: other users of this machine may replace its files; chmod 700"]


async def test_a_private_address_of_the_pages_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = await look(monkeypatch, PUBLIC | {"PUBLIC_URL": "https://192.168.1.5"})

    assert status == 0
    expected = (
        "warning: PUBLIC_URL: 192.168.1.5 is a private address, which phones outside of that network cannot reach"
    )
    assert expected in output


async def test_what_waits_to_be_sent_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    _, output = await look(monkeypatch, PUBLIC)

    # The dialogue is as old as the tests' noon, and was never shown.
    first = f"the first since {NOON:%Y-%m-%d %H:%M} UTC"
    assert [line for line in output if line.startswith("warning: replies")] == [
        f"warning: replies: 1 not sent yet, {first}; is the bot running?"
    ]
    assert not [line for line in output if "notices" in line]


async def test_a_bot_that_is_set_up_and_has_no_token_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = await look(monkeypatch, {"STAFF_IDS": "100012345"}, offline=False)

    assert status == 1
    assert problems(output) == ["BOT_TOKEN: missing, but STAFF_IDS is set"]


async def test_keys_in_the_database_folder_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database("data")
    status, output = await look(monkeypatch, PUBLIC | {"DATA_DIR": "data"})

    assert status == 0
    assert [line for line in output if "in the database's folder" in line]


async def test_lost_keys_and_foreign_keys_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    lose_the_keys()
    _, lost = await look(monkeypatch, PUBLIC)
    assert "keys/keys.json" not in files()
    KeyFile(Path("keys/keys.json")).sealing()
    _, foreign = await look(monkeypatch, PUBLIC)

    assert ["there is a database, but no" in line for line in problems(lost)] == [True]
    assert ["INDEX_KEY is not the one" in line for line in problems(foreign)] == [True]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE dialogues SET text = substr(text, 1, 40)", "dialogues.text: 1 values cannot be opened"),
        ("INSERT INTO schema_versions (version, name) VALUES (99, 'later')", "database: schema 99 is newer"),
        ("DELETE FROM schema_versions WHERE version > 1", "database: schema 1 is behind"),
    ],
)
async def test_a_damaged_database_is_a_problem(monkeypatch: pytest.MonkeyPatch, statement: str, expected: str) -> None:
    await make_database()
    async with open_database("sqlite:///data/bot.sqlite3") as database, database.transaction() as connection:
        await connection.fetch(statement)
    status, output = await look(monkeypatch, PUBLIC)

    assert status == 1
    assert [line.startswith(expected) for line in problems(output)] == [True]


async def test_dead_letters_and_old_keys_are_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    async with open_store("sqlite:///data/bot.sqlite3", sealing=KeyFile(Path("keys/keys.json")).sealing()) as store:
        await store.store_dead_letter("update:1", person=PERSON, raw="raw", now=NOON)
    KeyFile(Path("keys/keys.json")).add_primary_key()
    status, output = await look(monkeypatch, PUBLIC)

    assert status == 0
    assert "warning: sealed values: 2 with an older key; run keys rotate" in output
    assert [line for line in output if line.startswith("warning: dead letters: 1 ")]


@pytest.mark.parametrize(
    ("settings", "owed", "given_up", "expected"),
    [
        (RESULTS, 0, 0, ["ok: results: all delivered"]),
        (RESULTS, 2, 0, ["warning: results: 2 not delivered yet, the first since 2026-11-23 12:00 UTC"]),
        (RESULTS, 0, 1, [
            "ok: results: all delivered",
            "warning: results: 1 abandoned in the last 7 days, because no delivery succeeded",
        ]),
        ({}, 1, 0, [
            "warning: results: 1 not delivered yet, the first since 2026-11-23 12:00 UTC; RESULT_WEBHOOK_URL is not set"
        ]),
        ({}, 0, 0, []),
    ],
)  # fmt: skip
async def test_undelivered_results_are_reported_with_their_number_and_time(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], owed: int, given_up: int, expected: list[str]
) -> None:
    await make_database()
    async with open_store("sqlite:///data/bot.sqlite3", sealing=KeyFile(Path("keys/keys.json")).sealing()) as store:
        for number in range(owed + given_up):
            async with open_unit(store, "post") as unit:
                attempt = make_attempt(f"a{number}", f"telegram:{number}", status=AttemptStatus.SUCCEEDED)
                await unit.post_result(attempt, NOON, simulated=True)
        for result in await store.result_outbox().claim(NOON, until=NOON, limit=given_up):
            await store.result_outbox().settle(result, DeliveryStatus.ABANDONED, NOON)
    status, output = await look(monkeypatch, PUBLIC | settings)

    assert status == 0
    assert [line for line in output if "results: " in line] == expected
    assert not [line for line in output if SECRET in line]


async def test_a_database_that_does_not_answer_is_a_problem_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "postgresql://bot:a-password-of-ours@127.0.0.1:1/bot"
    await make_database()
    status, output = await look(monkeypatch, PUBLIC | {"DATABASE_URL": url})

    assert (status, len(problems(output))) == (1, 1)
    assert "a-password-of-ours" not in "".join(output)


async def test_the_version_of_the_server_is_told(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    url = await server.new_database()
    async with open_store(url, sealing=KeyFile(Path("keys/keys.json")).sealing()):
        pass
    status, output = await look(monkeypatch, PUBLIC | {"DATABASE_URL": url})

    assert status == 0
    assert [line for line in output if line.startswith("ok: versions: PostgreSQL 1")]


async def poll_for_ever(telegram: Simulator) -> None:
    """Fetch updates as a foreign program does."""
    while True:
        async with telegram.http.post(f"{telegram.url}/bot{TOKEN}/getUpdates", json={"timeout": 30}) as answer:
            await answer.read()


def at(telegram: Simulator) -> dict[str, str]:
    return {"BOT_TOKEN": TOKEN, "BOT_API_URL": telegram.url, "DATA_DIR": "data"}


async def test_telegram_answers_and_no_program_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulator() as telegram:
        await (await telegram.new_user()).says("hello")
        status, output = await look(monkeypatch, at(telegram), offline=False)

        assert (status, problems(output)) == (0, [])
        assert [line for line in output if line.startswith("ok: Telegram answers, as @")]
        assert "ok: updates: by polling, 1 waiting" in output
        assert "ok: polling: no program polls now" in output
        assert len(telegram.playground.world.updates.pending()) == 1


async def test_our_own_poller_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database("data")
    async with simulator() as telegram, open_database("sqlite:///data/bot.sqlite3") as database:
        telegram.hold_call("getUpdates", applied=False)
        async with database.polling_lease(TELEGRAM, lambda: None):
            status, output = await look(monkeypatch, at(telegram), offline=False)

        assert status == 0
        assert "ok: polling: a program with this database polls" in output
        assert not telegram.gate.held[0].caught.is_set()


async def test_a_foreign_poller_a_foreign_webhook_and_a_refused_token_are_problems(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with simulator() as telegram:
        async with asyncio.TaskGroup() as others:
            other = others.create_task(poll_for_ever(telegram))
            await telegram.wait_until(lambda: telegram.playground.world.updates.has_waiting_poll)
            _, polled = await look(monkeypatch, at(telegram), offline=False)
            other.cancel()
        await telegram.http.post(
            f"{telegram.url}/bot{TOKEN}/setWebhook", json={"url": "https://else.example.org/secret-path"}
        )
        _, hooked = await look(monkeypatch, at(telegram), offline=False)
        unknown = at(telegram) | {"BOT_TOKEN": "7000000002:a-token-that-was-never-issued"}
        _, refused = await look(monkeypatch, unknown, offline=False)

    assert ["another program polls" in line for line in problems(polled)] == [True]
    assert ["not this program's" in line for line in problems(hooked)] == [True]
    assert "secret-path" not in "".join(hooked)
    assert problems(refused) == ["BOT_TOKEN: Telegram refuses this token"]


async def test_a_bot_api_that_does_not_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = await look(monkeypatch, {"BOT_TOKEN": TOKEN, "BOT_API_URL": "http://127.0.0.1:1"}, offline=False)

    assert status == 1
    assert problems(output) == [
        f"BOT_API_URL: no answer from http://127.0.0.1:1: connection refused; {telegram_advice('connection refused')}"
    ]


@pytest.mark.parametrize(
    ("resting", "told"),
    [
        (None, []),
        ([], [ok("providers: none rests after failures")]),
        (["face"], [warning("providers: face rests, because its provider failed again and again")]),
    ],
)
def test_a_provider_that_rests_is_a_warning(resting: list[str] | None, told: list[Finding]) -> None:
    assert _providers(resting) == told


async def test_a_database_of_another_bot_is_a_problem_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    await make_database()
    _, unused = await look(monkeypatch, PUBLIC)
    keys = KeyFile(Path("keys/keys.json")).sealing()
    async with open_store("sqlite:///data/bot.sqlite3", sealing=keys) as store:
        await store.bot_ownership(TELEGRAM).note(7000000001)
    _, own = await look(monkeypatch, PUBLIC)
    status, foreign = await look(monkeypatch, PUBLIC | {"BOT_TOKEN": "7000000002:a-token-of-another-bot-here"})

    assert "ok: bot: none has used this database yet" in unused
    assert "ok: bot: the database belongs to the bot 7000000001" in own
    assert status == 1
    assert problems(foreign)[-1].startswith("bot: the database belongs to the bot 7000000001, and BOT_TOKEN is of the")
