"""Reads the variables of `.env` and the environment, and finds mistakes in their names and in the file.

A message never quotes a value: it may be a secret.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from io import StringIO
from pathlib import Path

ENV_FILE = ".env"
ENV_ENCODING = "utf-8-sig"
"""UTF-8; some editors on Windows put a mark in front of it."""
_SIMILARITY = 0.85
_SHARED = frozenset({"host", "port", "language", "http_proxy", "https_proxy", "all_proxy", "no_proxy"})
"""Settings whose names other programs use too, also with small changes."""


def read_variables() -> dict[str, str]:
    """Return what is set, by names in small letters; the environment goes before `.env`, and an empty value is none."""
    in_file: Mapping[str, str | None] = {}
    if (path := Path(ENV_FILE)).is_file() or path.is_fifo():
        from dotenv import dotenv_values

        in_file = dotenv_values(path, encoding=ENV_ENCODING)
    return {name.lower(): value for source in (in_file, os.environ) for name, value in source.items() if value}


def read_names(path: Path) -> list[str]:
    """Return the names that `.env` sets, in lower case; raises `ValueError` that says in one line what is wrong."""
    if path.is_fifo():
        # It can be read only once.
        return []
    lines: dict[str, int] = {}
    for line, name in _bindings(path):
        if name in lines:
            raise ValueError(f"{path}: {name.upper()} stands in the lines {lines[name]} and {line}; keep one of them")
        lines[name] = line
    return list(lines)


def _bindings(path: Path) -> Iterable[tuple[int, str]]:
    text = _read(path)
    if not text:
        return
    from dotenv.parser import parse_stream

    for binding in parse_stream(StringIO(text)):
        # A statement may begin with empty lines.
        written = binding.original.string
        line = binding.original.line + len(written[: len(written) - len(written.lstrip())].splitlines())
        if binding.error or (binding.key is not None and binding.value is None):
            raise ValueError(f"{path}: line {line} cannot be read; write NAME=value")
        if binding.key is not None:
            yield line, binding.key.lower()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding=ENV_ENCODING)
    except FileNotFoundError:
        if path.is_symlink():
            raise ValueError(f"{path}: cannot be read (it is a link to a file that is not there)") from None
        return ""
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: cannot be read (it is not text in UTF-8)") from None


def check_names(known: Collection[str]) -> None:
    """Raise `ValueError` for a name in `.env` or the environment that is nearly one of ours, or is set twice."""
    in_file = read_names(Path(ENV_FILE))
    spellings: dict[str, str] = {}
    for name, value in os.environ.items():
        lower = name.lower()
        if lower in known and lower not in _SHARED and spellings.setdefault(lower, value) != value:
            raise ValueError(f"{name.upper()}: is set in capital and in small letters; keep one of them")
    _check_spelling(in_file, known)
    _check_spelling((name.lower() for name in os.environ), [name for name in known if name not in _SHARED], known)


def _check_spelling(names: Iterable[str], ours: Collection[str], known: Collection[str] = ()) -> None:
    for name in names:
        if name in ours or name in known:
            continue
        if similar := _most_similar(name, tuple(ours)):
            raise ValueError(f"{name.upper()}: there is no such setting; did you mean {similar[0].upper()}?")


@cache  # programs that are forked from one that has looked need not look again
def _most_similar(name: str, ours: Collection[str]) -> list[str]:
    return get_close_matches(name, ours, 1, _SIMILARITY)
