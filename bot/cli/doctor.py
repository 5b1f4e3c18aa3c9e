"""`doctor` checks whether the bot can run well here. It changes nothing, and prints fingerprints instead of secrets."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from platform import python_implementation, python_version
from sqlite3 import sqlite_version

from bot.cli import check_servers, check_settings, check_telegram
from bot.cli.health import resting_methods
from bot.cli.report import Finding, Say, ok, print_findings, problem, warning
from bot.clock import Clock
from bot.content.catalogue import FOLDER, LANGUAGES
from bot.content.topics import BadTopics, read
from bot.engine.messages import FRONT_END
from bot.open_store import key_file, load_sealing
from bot.settings import BadSetting, Settings, load
from storage import SqlStore, StorageError, open_database, sqlite_path
from storage.bot_ownership import BotOwnership
from storage.inspection import InspectionReport, inspect_database
from verification.result_outbox import ResultBacklog

_PATIENCE = timedelta(minutes=1)


async def run_checks(say: Say, *, offline: bool, program: str = "realname-bot") -> int:
    """Run every check and print its findings; gives the exit status, which is 1 when there is a problem."""
    renamed: list[str] = []
    try:
        settings = load(renamed.append)
    except BadSetting as error:
        return print_findings([problem(str(error))], say)
    findings = [
        ok(f"versions: {program}, {python_implementation()} {python_version()}, SQLite {sqlite_version}"),
        ok("settings can be read"),
        *map(warning, renamed),
        _questions(),
        *check_settings.check_settings(settings),
    ]
    findings += [finding async for finding in _database(settings)]
    if not offline:
        findings += _providers(await asyncio.to_thread(resting_methods, settings))
        findings += await check_telegram.check_telegram(settings)
        findings += await check_servers.check_servers(settings)
    return print_findings(findings, say)


def _providers(resting: list[str] | None) -> list[Finding]:
    """What the running program says of its providers."""
    if resting is None:
        return []
    if not resting:
        return [ok("providers: none rests after failures")]
    return [warning(f"providers: {method} rests, because its provider failed again and again") for method in resting]


def _questions() -> Finding:
    try:
        return ok(f"questions and answers: {len(read(FOLDER, LANGUAGES)[LANGUAGES[0]])} in every language")
    except BadTopics as error:
        return problem(str(error))


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    path = sqlite_path(settings.store_url)
    if path is not None and not path.exists():
        yield ok(f"database: there is none yet at {path}; the first start creates it")
        return
    if settings.encryption_keys is None and not key_file(settings).path.exists():
        yield problem(f"keys: there is a database, but no {key_file(settings).path}")
        return
    try:
        async with open_database(settings.store_url) as database:
            if path is None:
                async with database.read_transaction() as connection:
                    [(version,)] = await connection.fetch("SHOW server_version")
                yield ok(f"versions: PostgreSQL {version}")
            report = await inspect_database(database, load_sealing(settings))
            for finding in _report_findings(report):
                yield finding
            if report.schema == report.newest:
                owner = await BotOwnership(database, FRONT_END).bot()
                yield _owner_finding(owner, settings)
                backlog = await SqlStore(database, load_sealing(settings)).backlog()
                for finding in (*_results(report.results, settings), *_waiting(backlog, Clock().now())):
                    yield finding
    except (StorageError, BadSetting, ValueError) as error:
        yield problem(f"database: {error}")


def _report_findings(report: InspectionReport) -> list[Finding]:
    if report.schema > report.newest:
        return [problem(f"database: schema {report.schema} is newer than this program's {report.newest}")]
    if report.schema < report.newest:
        schema, newest = report.schema, report.newest
        return [problem(f"database: schema {schema} is behind this program's {newest}; starting the bot migrates it")]
    found = [ok(f"database: schema {report.schema}, and the keys belong to it")]
    found += [problem(f"{column}: {number} values cannot be opened") for column, number in report.unreadable.items()]
    if not report.unreadable:
        found.append(ok(f"sealed values: all {report.sealed} can be opened"))
    if report.with_old_keys:
        found.append(warning(f"sealed values: {report.with_old_keys} with an older key; run keys rotate"))
    if report.dead_letters:
        found.append(warning(f"dead letters: {report.dead_letters} updates could not be handled in the last 7 days"))
    return found


def _waiting(backlog: Mapping[str, tuple[int, datetime | None]], now: datetime) -> Iterator[Finding]:
    for queue in ("replies", "notices"):
        count, since = backlog[queue]
        if since is not None and now - since > _PATIENCE:
            yield warning(
                f"{queue}: {count} not sent yet, the first since {since:%Y-%m-%d %H:%M} UTC; is the bot running?"
            )


def _owner_finding(owner: int | None, settings: Settings) -> Finding:
    if owner is None:
        return ok("bot: none has used this database yet")
    if settings.bot_id in {None, owner}:
        return ok(f"bot: the database belongs to the bot {owner}")
    return problem(f"bot: the database belongs to the bot {owner}, and BOT_TOKEN is of the bot {settings.bot_id}")


def _results(backlog: ResultBacklog, settings: Settings) -> Iterator[Finding]:
    if backlog.since is not None:
        since = f"{backlog.since:%Y-%m-%d %H:%M} UTC"
        hint = "" if settings.result_webhook_url else "; RESULT_WEBHOOK_URL is not set"
        yield warning(f"results: {backlog.undelivered} not delivered yet, the first since {since}{hint}")
    elif settings.result_webhook_url:
        yield ok("results: all delivered")
    if backlog.abandoned:
        yield warning(f"results: {backlog.abandoned} abandoned in the last 7 days, because no delivery succeeded")
