"""Files that an operator asks for."""

from pathlib import Path

from bot.operating.findings import Impossible


def write(file: Path, content: bytes) -> None:
    """Write a file; raises `Impossible`."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Impossible(f"{file}: cannot be written ({error.strerror})") from None
