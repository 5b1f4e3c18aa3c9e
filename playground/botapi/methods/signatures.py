"""The signatures of all methods of the Bot API, read from signatures.txt: their fields, types and results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FieldType(StrEnum):
    """The types of fields. A chat is an integer, or the `@username` of a group or channel."""

    STRING = "String"
    INTEGER = "Integer"
    FLOAT = "Float"
    BOOLEAN = "Boolean"
    CHAT = "Chat"
    FILE = "File"
    ARRAY = "Array"
    OBJECT = "Object"


@dataclass(frozen=True, slots=True)
class Signature:
    """One method: the types of its fields by name, the required ones, and the type of its result."""

    name: str
    fields: Mapping[str, FieldType]
    required: tuple[str, ...]
    result: str


_SIGNATURE = re.compile(r"^(?P<name>\w+)\((?P<fields>[^)]*)\) -> (?P<result>.+)$", re.MULTILINE)
_FIELD = re.compile(r"(?P<name>\w+)(?P<optional>\?)?(?:: (?P<type>\w+))?")
# Fields of earlier versions that the public server still reads: in every method that sends, and beside a thumbnail.
_EARLIER = {
    "reply_parameters": {
        "reply_to_message_id": FieldType.INTEGER,
        "allow_sending_without_reply": FieldType.BOOLEAN,
    },
    "link_preview_options": {"disable_web_page_preview": FieldType.BOOLEAN},
    "thumbnail": {"thumb": FieldType.FILE},
    "correct_option_ids": {"correct_option_id": FieldType.INTEGER},
}


def _signature(found: re.Match[str]) -> Signature:
    given = list(_FIELD.finditer(found["fields"]))
    fields = {field["name"]: FieldType(field["type"] or "String") for field in given}
    for name in tuple(fields):
        fields |= _EARLIER.get(name, {})
    required = tuple(field["name"] for field in given if not field["optional"])
    return Signature(found["name"], fields, required, found["result"])


def _read() -> dict[str, Signature]:
    source = Path(__file__).with_name("signatures.txt").read_text(encoding="utf-8").replace("\n    ", " ")
    return {found["name"]: _signature(found) for found in _SIGNATURE.finditer(source)}


SIGNATURES: Mapping[str, Signature] = _read()
