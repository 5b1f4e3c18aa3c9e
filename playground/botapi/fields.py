"""The fields of one call, read as the public server reads them.

The public server ignores a field that the method does not know. So does the simulator, but it keeps a note for the
tester, because a misspelt field is otherwise hard to find.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from playground.world.errors import bad_request

MAX_TEXT_FIELD = 1024 * 1024
_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a call brings."""

    name: str
    type: str
    content: bytes


class CallFields:
    """The fields of a call by name: values as text, and files."""

    def __init__(self, values: Mapping[str, str], uploads: Mapping[str, Upload]) -> None:
        self._values = values
        self._uploads = uploads
        self.ignored: list[str] = []  # one phrase for each ignored field
        self.remarks: list[str] = []  # what the simulator does otherwise than Telegram

    def remark(self, text: str) -> None:
        """Note once what the simulator does otherwise than Telegram in this call."""
        if text not in self.remarks:
            self.remarks.append(text)

    def note_unknown(self, known: Collection[str]) -> None:
        """Note the fields that the method does not know, and the files that no field refers to."""
        self.drop_unknown(self._values, {*known, "method"})  # the name of the method, in answers to a webhook
        for name in self._uploads:
            if name not in known and not any(f"attach://{name}" in value for value in self._values.values()):
                self.ignored.append(f'the file "{name}"')

    def drop_unknown(self, given: Mapping[str, Any], known: Collection[str], object_name: str = "") -> dict[str, Any]:
        """Return an object without the fields that Telegram does not know, and note those."""
        where = f" in {object_name}" if object_name else ""
        self.ignored += [f'the field "{name}"{where}' for name in given if name not in known]
        return {name: value for name, value in given.items() if name in known}

    def __contains__(self, name: str) -> bool:
        return name in self._values or name in self._uploads

    def shown(self) -> dict[str, str]:
        """Return every field as a text, a file by its name and size."""
        files = {name: f"{file.name} ({len(file.content)} bytes)" for name, file in self._uploads.items()}
        return {**self._values, **files}

    def text(self, name: str, default: str = "") -> str:
        """Return a text field."""
        return self._values.get(name, default)

    def integer(self, name: str, default: int = 0) -> int:
        """Return an integer field. Raises `ApiError`."""
        value = self._values.get(name, "")
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise bad_request(f'field "{name}" must be an Integer') from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a Boolean field; every value but true, yes and 1 is false."""
        given = self._values.get(name, "").strip().lower()
        return given in _TRUE if given else default

    def required(self, name: str) -> str:
        """Return a text field. Raises `ApiError` when it is empty."""
        value = self._values.get(name, "")
        if not value.strip():
            raise bad_request(f'parameter "{name}" is required')
        return value

    def array(self, name: str, description: str, items: str = "") -> list[Any]:
        """Return a JSON array, [] when there is none. Raises `ApiError` with the descriptions."""
        given = self.json(name, description)
        if given is not None and not isinstance(given, list):
            raise bad_request(f"expected an Array of {items or description}")
        return given or []

    def json(self, name: str, description: str) -> Any:
        """Return the value of a JSON field, None when it is empty. Raises `ApiError` with the description."""
        value = self._values.get(name, "")
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {description} JSON object") from None

    def object(self, name: str, description: str, known: str) -> dict[str, Any]:
        """Return the known fields of a JSON object, {} when there is none. Raises `ApiError` with the description."""
        given = self.json(name, description)
        if given is None:
            return {}
        if not isinstance(given, dict):
            raise bad_request(f"object expected as {description}")
        return self.drop_unknown(given, known.split(), name)

    def upload(self, name: str) -> Upload | None:
        """Return the file of that field, or the file that the field names with attach://."""
        if name in self._uploads:
            return self._uploads[name]
        return self.attached(self._values.get(name, ""))

    def attached(self, reference: str) -> Upload | None:
        """Return the file that an attach:// reference names, or None."""
        return self._uploads.get(reference.removeprefix("attach://")) if reference[:9] == "attach://" else None


async def read_fields(request: Request) -> CallFields:
    """Read the fields of a call from its query and its body: JSON, a form, or multipart. Raises `ApiError`."""
    values = dict(request.query_params)
    uploads: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        values |= _from_json(await request.body())
    elif kind in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        async with _form(request) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    uploads[name] = await _upload(value)
                else:
                    values[name] = value
    return CallFields(values, uploads)


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    try:
        form = await request.form(max_part_size=MAX_TEXT_FIELD)
    except HTTPException:
        raise bad_request("can't parse the form") from None
    try:
        yield form
    finally:
        await form.close()


async def _upload(part: UploadFile) -> Upload:
    return Upload(part.filename or "file", part.content_type or "application/octet-stream", await part.read())


def _from_json(body: bytes) -> dict[str, str]:
    if not body.strip():
        return {}
    try:
        given = json.loads(body)
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(given, dict):
        raise bad_request("expected an Object")
    return {name: _as_text(value) for name, value in given.items() if value is not None}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
