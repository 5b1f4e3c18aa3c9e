"""After an erasure, and after the retention period, nothing is left of the person but what the privacy page says."""

import json
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from storage import open_database, statements
from storage.database import Database, Row
from storage.encryption.key_file import KeyFile
from storage.encryption.sealing import AssociatedData
from storage.mapping import associated_data
from tests.crash.process import ManagedBot, running_bot_process
from tests.crash.test_nothing_leaks import fail_and_pass
from tests.postgres_server import Server
from tests.reliability import Proof
from tests.simulator_fixture import NAME, NUMBER, ChatUser, Simulator, simulator

TABLES = ("attempts", "places", "notices", "dialogues", "consents", "litter", "seen_events", "dead_updates")


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


async def rows(database: Database) -> dict[str, list[Row]]:
    async with database.transaction() as connection:
        return {table: list(await connection.fetch(f"SELECT * FROM {table}")) for table in TABLES}  # noqa: S608


async def sealed_values(database: Database) -> dict[AssociatedData, bytes]:
    """Every sealed value, by its table and column."""
    found = {}
    async with database.transaction() as connection:
        for table, key, column in statements.SEALED:
            statement = f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
            for row, value in await connection.fetch(statement):
                found[associated_data(table=table, row=row, column=column)] = bytes(value)
    return found


async def a_whole_story(telegram: Simulator, bot: ManagedBot, phone: Phone) -> ChatUser:
    """A user verifies an account, and one of their updates could not be handled."""
    guest = await telegram.new_user()
    await fail_and_pass(guest, phone)
    sender = {"id": guest.id, "first_name": NAME}
    chat = {"id": guest.id, "type": "private"}
    poison = {"message_id": 5, "date": "x", "chat": chat, "from": sender, "text": NUMBER}
    telegram.playground.world.updates.add("message", poison, f"chat:{guest.id}")
    await guest.sees("没处理成功")
    await bot.wait_until_shown() if (bot.data / "bot.sqlite3").exists() else await telegram.wait_until_idle()
    return guest


async def test_the_plain_number_is_dropped_with_the_verdict_even_for_those_who_have_the_keys(
    tmp_path: Path, url: str
) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot,
        Phone() as phone,
    ):
        await a_whole_story(telegram, bot, phone)
        sealing = KeyFile(bot.data / "keys.json").sealing()
        async with open_database(url) as database:
            plain = {where: sealing.open(value, where) for where, value in (await sealed_values(database)).items()}

    told = [text for where, text in plain.items() if not where.startswith("dead_updates")]
    written = [json.dumps(word)[1:-1] for word in (NAME, NUMBER)] + [NAME, NUMBER]
    assert len(told) >= 4
    assert not [text for text in told for word in written if word in text]


@pytest.mark.slow("crash")
@pytest.mark.parametrize("command", [("erase", "{account}", "--yes"), ("retention", "--at", "+400d", "--yes")])
async def test_inv39_nothing_but_the_slot_is_left_in_any_row_or_file(
    tmp_path: Path, url: str, command: tuple[str, ...], proof: Proof
) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot,
        Phone() as phone,
    ):
        guest = await a_whole_story(telegram, bot, phone)
        account = f"telegram:{guest.id}"
        async with open_database(url) as database:
            before, sealed = await rows(database), await sealed_values(database)
        status, said = await bot.run_command(*(word.format(account=account) for word in command))
        async with open_database(url) as database:
            after = await rows(database)
        files = b"".join(path.read_bytes() for path in bot.data.iterdir() if path.name.startswith("bot.sqlite3"))

    assert status == 0, said
    assert account not in said
    assert all(before[table] for table in ("attempts", "dialogues", "consents", "dead_updates"))
    # A message that must still be deleted from the chat stays listed until it is.
    assert {table for table, kept in after.items() if account in str(kept)} - {"litter"} == {"places"}
    assert not [table for table in ("attempts", "notices", "dialogues", "consents", "dead_updates") if after[table]]
    assert len(sealed) >= 5
    proof(cases=len(sealed))
    assert not [where for where, value in sealed.items() if value[-40:] in files]
