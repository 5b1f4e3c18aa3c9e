"""Which bot a database belongs to.

The ids of updates and messages mean something for one bot only, and people let each bot write to them on their own. A
second bot on the database would take its updates for repeated ones, and its people for people who blocked it.
"""

from collections.abc import Mapping, Sequence, Set

from storage import statements as sql
from storage.database import Connection, Database, Row, fetch_alone
from storage.errors import WrongBot
from verification.ids import FrontEnd
from verification.record import Record


class BotOwnership(Record):
    """The bot of one front end; a bot is named by its id, which stays when its token is renewed."""

    database: Database
    front_end: FrontEnd

    async def bot(self) -> int | None:
        """Return the bot that the database belongs to; None before the first one connects."""
        rows = await fetch_alone(self.database, sql.BOT, self.front_end)
        return int(rows[0][0]) if rows else None

    async def check(self, bot: int) -> None:
        """Raise `WrongBot` when the database belongs to another bot."""
        _refuse_other(await self.bot(), bot)

    async def note(self, bot: int, username: str | None = None) -> None:
        """Note that the database belongs to this bot, and its name; raises `WrongBot` when another one owns it."""

        async def note(connection: Connection) -> None:
            await connection.fetch(sql.NOTE_BOT, self.front_end, bot)
            [(owner,)] = await connection.fetch(sql.BOT, self.front_end)
            _refuse_other(int(owner), bot)
            await connection.fetch(sql.NOTE_USERNAME, self.front_end, username)

        await self.database.run(note)

    async def username(self) -> str | None:
        """Return the user name of the bot that connected last; None before the first one."""
        rows = await fetch_alone(self.database, sql.USERNAME, self.front_end)
        return None if not rows or rows[0][0] is None else str(rows[0][0])

    async def people_with_menu(self) -> frozenset[int]:
        """Return the people who have a menu of support staff."""
        return frozenset(int(person) for (person,) in await fetch_alone(self.database, sql.STAFF_MENUS, self.front_end))

    async def keep_menus(self, people: Set[int]) -> None:
        """Note who has a menu of support staff from now on."""

        async def keep(connection: Connection) -> None:
            await connection.fetch(sql.FORGET_STAFF_MENUS, self.front_end)
            for person in sorted(people):
                await connection.fetch(sql.NOTE_STAFF_MENU, self.front_end, person)

        await self.database.run(keep, f"staff menus {self.front_end}")

    async def begin_polling(self, program: str) -> bool:
        """Note that this program polls from now on; returns whether it polled last, so that nobody came in between."""

        async def begin(connection: Connection) -> bool:
            rows = await connection.fetch(sql.POLLER, self.front_end)
            await connection.fetch(sql.NOTE_POLLER, self.front_end, program)
            return bool(rows) and rows[0][0] == program

        return await self.database.run(begin)

    async def programs(self) -> Sequence[Row]:
        """Return the programs that have registered themselves; the count of one that runs grows every second."""
        return await fetch_alone(self.database, sql.HEARTBEATS, self.front_end)

    async def move(self, bot: int) -> Mapping[str, int]:
        """Give the database to another bot, and delete what counts for the former one only; returns the counts."""

        async def move(connection: Connection) -> Mapping[str, int]:
            await connection.fetch(sql.MOVE_TO_BOT, self.front_end, bot)
            await connection.fetch(sql.FORGET_STAFF_MENUS, self.front_end)
            await connection.fetch(sql.FORGET_PANELS, self.front_end)
            await connection.fetch(sql.FREE_NOTICES, self.front_end)
            return {
                kind: len(await connection.fetch(statement, self.front_end))
                for kind, statement in sql.OF_ONE_BOT.items()
            }

        deleted = await self.database.run(move)
        await self.database.purge_deleted()
        return deleted


def _refuse_other(owner: int | None, bot: int) -> None:
    if owner is not None and owner != bot:
        raise WrongBot(
            f"BOT_TOKEN: the database belongs to the bot {owner}, and this is a token of the bot {bot};"
            " set the right token or another DATABASE_URL, or move the database with the command move-bot"
        )
