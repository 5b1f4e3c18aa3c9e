"""Checks what settings and files alone show: file modes, keys, addresses, and access for support."""

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from bot.cli.report import Finding, ok, problem, warning
from bot.open_store import key_file
from bot.settings import Settings
from storage import BadKeys, sqlite_path
from storage.encryption.sealing import Keys, parse_keys
from verification.attempts import TYPED_METHODS
from verification.providers.addresses import is_ip_literal, is_public

_VARIETY = 16
"""The fewest different bytes in a key: 32 random bytes have about 30, words and counters fewer."""
_SECRET_VARIETY = 8


def check_settings(settings: Settings) -> list[Finding]:
    """The findings of every check of the settings."""
    return [
        *_modes(settings),
        *dict.fromkeys(_folders(settings)),
        *_keys(settings),
        *_addresses(settings),
        *_methods(settings),
        *_practices(settings),
        *_support(settings),
    ]


def fingerprint(secret: bytes) -> str:
    """A short name for a secret that does not reveal it."""
    return hashlib.sha256(b"realname-bot fingerprint\0" + secret).hexdigest()[:8]


def _modes(settings: Settings) -> Iterator[Finding]:
    for path in (Path(".env"), key_file(settings).path, sqlite_path(settings.store_url)):
        if path is None or not path.exists():
            continue
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield problem(f"{path}: other users of this machine may read it; chmod 600")
        else:
            yield ok(f"{path}: only its owner may read it")


def _folders(settings: Settings) -> Iterator[Finding]:
    for path in (key_file(settings).path, sqlite_path(settings.store_url)):
        if path is not None and path.parent.exists() and stat.S_IMODE(path.parent.stat().st_mode) & 0o022:
            yield problem(f"{path.parent}: other users of this machine may replace its files; chmod 700")


def _keys(settings: Settings) -> Iterator[Finding]:
    file, given = key_file(settings), settings.encryption_keys
    if given is None and not file.path.exists():
        return
    try:
        keys = file.keys() if given is None else parse_keys(given.get_secret_value())
    except BadKeys as error:
        yield problem(str(error))
        return
    yield from _key_findings(keys)
    database = sqlite_path(settings.store_url)
    if given is None and database is not None and database.parent.absolute() == file.path.parent.absolute():
        yield warning(f"{file.path} is in the database's folder: a copy of the folder contains both")


def _key_findings(keys: Keys) -> Iterator[Finding]:
    for key_id, key in keys.items():
        if len(set(key)) < _VARIETY:
            yield problem(f"key {key_id} is not random; make one with openssl rand -base64 32")
        else:
            yield ok(f"key {key_id}: fingerprint {fingerprint(key)}")


def _addresses(settings: Settings) -> Iterator[Finding]:
    if settings.proxy is not None:
        yield ok(f"Telegram is reached through the proxy {settings.proxy}")
    if not _is_public(settings):
        return
    if urlsplit(settings.bot_api_url).scheme != "https":
        yield problem("BOT_API_URL: without https others on the network can read the token and the chats")
    host = urlsplit(settings.public_url).hostname or ""
    if urlsplit(settings.public_url).scheme != "https":
        yield problem("PUBLIC_URL: without https others on the network can read the pages")
    elif is_ip_literal(host) and not is_public(host):
        yield warning(f"PUBLIC_URL: {host} is a private address, which phones outside of that network cannot reach")
    else:
        yield ok(f"PUBLIC_URL: {settings.public_url}")
    if settings.webhook_url and urlsplit(settings.webhook_url).scheme != "https":
        yield problem("WEBHOOK_URL: Telegram calls https addresses only")


def _methods(settings: Settings) -> Iterator[Finding]:
    for method in {**dict.fromkeys(TYPED_METHODS), **dict.fromkeys(settings.providers)}:
        yield ok(f"PROVIDER_{method.upper()}: {settings.providers.get(method, 'off')}")


def _is_public(settings: Settings) -> bool:
    return settings.bot_token is not None and not settings.on_loopback


def _practices(settings: Settings) -> Iterator[Finding]:
    secret = settings.webhook_secret
    if secret is not None and len(set(secret.get_secret_value())) < _SECRET_VARIETY:
        yield problem("WEBHOOK_SECRET: is easy to guess; make one with openssl rand -hex 32")
    if not _is_public(settings):
        return
    if settings.log_level == "DEBUG":
        yield problem("LOG_LEVEL: DEBUG is for tests")
    if settings.simulated_methods:
        yield warning("ALLOW_SIMULATED: simulated providers prove nothing; every chat says that it is a test")


def _support(settings: Settings) -> Iterator[Finding]:
    """The people and keys that may do support's work."""
    if settings.staff:
        yield ok(f"STAFF_IDS: {len(settings.staff)} may use staff's commands in the chat")
    keys = [caller.key for caller in settings.api_callers]
    for caller in settings.api_callers:
        if len(set(caller.key)) < _SECRET_VARIETY:
            yield problem(f"API_KEYS: key {caller.name} is easy to guess; make one with openssl rand -hex 24")
        else:
            scopes, mark = ", ".join(sorted(caller.scopes)), fingerprint(caller.key.encode())
            yield ok(f"API_KEYS: key {caller.name}, fingerprint {mark}: {scopes}")
    desk = "" if settings.desk_key is None else settings.desk_key.get_secret_value()
    if desk and len(set(desk)) < _SECRET_VARIETY:
        yield problem("DESK_KEY: is easy to guess; make one with openssl rand -hex 24")
    elif desk in keys:
        yield problem("DESK_KEY: is also one of API_KEYS; use different keys")
    elif desk:
        yield ok(f"DESK_KEY: fingerprint {fingerprint(desk.encode())}")
