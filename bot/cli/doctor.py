"""`doctor`: whether this program could run well here; it changes nothing, and tells fingerprints instead of secrets."""

from collections.abc import AsyncIterator, Iterator

from bot.cli import check_settings, check_telegram
from bot.cli.report import Finding, Say, ok, print_findings, problem, warning
from bot.content.catalogue import FOLDER, LANGUAGES
from bot.content.topics import BadTopics, read
from bot.open_store import key_file, load_sealing
from bot.settings import BadSetting, Settings, load
from storage import StorageError, open_database, sqlite_path
from storage.inspection import InspectionReport, ResultBacklog, inspect_database


async def run_checks(say: Say, *, offline: bool) -> int:
    """Look at everything, tell it, and say the exit status: 1 when there is a problem."""
    try:
        settings = load()
    except BadSetting as error:
        return print_findings([problem(str(error))], say)
    findings = [ok("settings can be read"), _questions(), *check_settings.check_settings(settings)]
    findings += [finding async for finding in _database(settings)]
    if not offline:
        findings += await check_telegram.check_telegram(settings)
    return print_findings(findings, say)


def _questions() -> Finding:
    try:
        return ok(f"questions and answers: {len(read(FOLDER, LANGUAGES)[LANGUAGES[0]])} in every language")
    except BadTopics as error:
        return problem(str(error))


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    path = sqlite_path(settings.store_url)
    if path is not None and not path.exists():
        yield ok(f"database: there is none yet at {path}; the first start makes it")
        return
    if settings.encryption_keys is None and not key_file(settings).path.exists():
        yield problem(f"keys: there is a database, but no {key_file(settings).path}")
        return
    try:
        async with open_database(settings.store_url) as database:
            condition = await inspect_database(database, load_sealing(settings))
            for finding in _condition_findings(condition):
                yield finding
            if condition.schema == condition.newest:
                for finding in _results(condition.results, settings):
                    yield finding
    except (StorageError, BadSetting, ValueError) as error:
        yield problem(f"database: {error}")


def _condition_findings(condition: InspectionReport) -> list[Finding]:
    if condition.schema > condition.newest:
        return [problem(f"database: schema {condition.schema} is newer than this program's {condition.newest}")]
    if condition.schema < condition.newest:
        schema, newest = condition.schema, condition.newest
        return [problem(f"database: schema {schema} is behind this program's {newest}; starting the bot mends that")]
    found = [ok(f"database: schema {condition.schema}, and the keys are its own")]
    found += [problem(f"{column}: {number} values do not open") for column, number in condition.unreadable.items()]
    if not condition.unreadable:
        found.append(ok(f"sealed values: all {condition.sealed} open"))
    if condition.with_old_keys:
        found.append(warning(f"sealed values: {condition.with_old_keys} with an older key; run keys rotate"))
    if condition.dead_letters:
        found.append(warning(f"dead updates: {condition.dead_letters} could not be handled in the last 7 days"))
    return found


def _results(backlog: ResultBacklog, settings: Settings) -> Iterator[Finding]:
    if backlog.since is not None:
        since = f"{backlog.since:%Y-%m-%d %H:%M} UTC"
        nowhere = "" if settings.result_webhook_url else "; RESULT_WEBHOOK_URL is not set"
        yield warning(f"results: {backlog.undelivered} wait to be told, the first since {since}{nowhere}")
    elif settings.result_webhook_url:
        yield ok("results: none waits to be told")
    if backlog.abandoned:
        yield warning(f"results: {backlog.abandoned} could not be told in their time, within the last 7 days")
